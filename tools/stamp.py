"""Make this copy of the course lead to its own repository: badges, links, the first cells.

    python tools/stamp.py

The address stands in `[project.urls] Repository` of pyproject.toml: change it there, run this, commit. The old one is read
from CITATION.cff, and replaced wherever git finds it; other people's addresses stay.
"""

import re
import subprocess
import tomllib

import nbformat
from course import ROOT, Problem
from run import source_hash
from sync import digest


def repository(root=ROOT):
    """The repository's address as "owner/name"."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    url = project["urls"]["Repository"].rstrip("/").removesuffix(".git")
    found = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+)", url)
    if not found:
        raise Problem(
            f"pyproject.toml: Repository is {url!r}. It must be https://github.com/OWNER/NAME: Colab "
            "opens notebooks from GitHub only. A mirror elsewhere needs no stamp."
        )
    return found[1]


def stamped(text, old, new):
    """`text` with the repository `new` in place of `old`, and the folder that `git clone` makes."""
    text = re.sub(rf"(?<=/){re.escape(old)}(?![\w-]|\.(?!git\b)\w)", new, text)
    folder = re.escape(old.split("/")[1]) + r"(?![\w.-])"
    before = r'(\bcd |lab/tree/|sys\.path\.insert\(0, \\?"|^msg(?:id|str) ")'
    return re.sub(before + folder, rf"\g<1>{new.split('/')[1]}", text, flags=re.M)


def main(root=ROOT):
    citation = (root / "CITATION.cff").read_text(encoding="utf-8")
    old = re.search(r'^repository-code: "https://github\.com/([^"]+)"', citation, re.M)[1]
    command = ["git", "grep", "-lIF", old.split("/")[1]]
    found = subprocess.run(command, cwd=root, capture_output=True, text=True).stdout
    for name in found.splitlines():
        before = (root / name).read_text(encoding="utf-8")
        after = stamped(before, old, repository(root))
        if name.endswith(
            ".ipynb"
        ):  # a cell remembers what it was when it ran, and when it was made
            cells = zip(*(nbformat.reads(text, 4).cells for text in (before, after)), strict=True)
            for was, now in cells:
                for old_mark, mark in (
                    (source_hash(was), source_hash(now)),
                    (digest(was.source), digest(now.source)),
                ):
                    after = after.replace(f'"{old_mark}"', f'"{mark}"')
        if after != before:
            (root / name).write_text(after, encoding="utf-8")
            print(name)


if __name__ == "__main__":
    main()
