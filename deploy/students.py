"""The list of a class: who may log in. Passwords are kept as salted scrypt hashes, one line per student.

python deploy/students.py students.txt kim lee park     adds (or renews) three students, and prints their passwords once
python deploy/students.py students.txt --remove lee
"""

import argparse
import base64
import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

NAME = re.compile(r"[a-z][a-z0-9-]{0,23}")  # what is a Unix account's name everywhere


def hashed(password, salt):
    return base64.b64encode(
        hashlib.scrypt(password.encode(), salt=base64.b64decode(salt), n=2**14, r=8, p=1)
    ).decode()


def read(path):
    """{name: (salt, hash)}"""
    path = Path(path)
    lines = path.read_text(encoding="utf-8").split() if path.exists() else []
    return {name: (salt, digest) for name, salt, digest in (line.split(":") for line in lines)}


def write(path, students):
    path = Path(path)
    part = path.with_name(path.name + ".part")
    with open(
        os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.writelines(
            f"{name}:{salt}:{digest}\n" for name, (salt, digest) in sorted(students.items())
        )
    part.replace(path)


def add(path, names):
    """Give each of `names` a new password; {name: password}."""
    students, passwords = read(path), {}
    for name in names:
        if not NAME.fullmatch(name):
            raise SystemExit(
                f"{name!r}: use up to 24 small letters, digits and hyphens, a letter first."
            )
        passwords[name] = secrets.token_urlsafe(9)
        salt = base64.b64encode(secrets.token_bytes(16)).decode()
        students[name] = (salt, hashed(passwords[name], salt))
    write(path, students)
    return passwords


def right(path, name, password):
    """Whether `name` is in the list with this password. An unknown name takes as long as a wrong password."""
    students = read(path)
    salt, digest = students.get(name, (base64.b64encode(b"nobody").decode(), ""))
    return hmac.compare_digest(hashed(password, salt), digest)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file")
    parser.add_argument("names", nargs="+")
    parser.add_argument("--remove", action="store_true")
    arguments = parser.parse_args()
    if arguments.remove:
        write(
            arguments.file,
            {
                name: entry
                for name, entry in read(arguments.file).items()
                if name not in arguments.names
            },
        )
        return
    for name, password in add(arguments.file, arguments.names).items():
        print(f"{name}\t{password}")


if __name__ == "__main__":
    main()
