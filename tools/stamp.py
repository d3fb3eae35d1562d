"""Write the repository's address into README, notebooks, citation file and deploy/: badges, the Colab bootstrap, links.

    python tools/stamp.py

The address stands in one place, `[project.urls] Repository` in pyproject.toml: change it there, run this, commit.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
OWNER_AND_NAME = r"[\w.-]+/[\w.-]+?"
PLACES = [  # (before, after) the owner and the name, wherever the course names its own repository
    (r"colab\.research\.google\.com/github/", r"/blob/"),
    (r"mybinder\.org/v2/gh/", r"/"),
    (r"git clone (?:--quiet )?(?:--depth 1 )?https://github\.com/", r"\.git"),
    (r"https://github\.com/", r"/(?:actions|issues|blob/main)"),
    (r"(?:repository-code: |gitpuller, )\"https://github\.com/", r"\""),
    (r"[?&]repo=https://github\.com/", r"&"),
]


def stamped(text, repository):
    """`text` with `repository` ("owner/name") in every place, and the folder that `git clone` makes."""
    for before, after in PLACES:
        text = re.sub(f"({before}){OWNER_AND_NAME}(?={after})", rf"\g<1>{repository}", text)
    name = repository.split("/")[1]
    return re.sub(r'(sys\.path\[:0\] = \[\\?"\.\./\.\.\\?", \\?")[\w.-]+', rf"\g<1>{name}", text)


def repository(root=ROOT):
    url = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"][
        "Repository"
    ]
    return url.removeprefix("https://github.com/").rstrip("/")


def main(root=ROOT):
    for path in [
        *root.glob("README*.md"),
        *root.glob("CITATION.cff"),
        *root.glob("deploy/*.md"),
        *root.glob("deploy/*.yaml"),
        *root.glob("notebooks/*/*.ipynb"),
    ]:
        old = path.read_text(encoding="utf-8")
        new = stamped(old, repository(root))
        if new != old:
            path.write_text(new, encoding="utf-8")
            print(path.relative_to(root))


if __name__ == "__main__":
    main()
