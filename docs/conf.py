"""Sphinx settings of the course's site; `tools/website.py` writes the sources and starts Sphinx once for each language."""

import sys
import tomllib
from pathlib import Path

from sphinx.search import en, languages

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import hangul  # noqa: E402

KOREAN = tags.has("ko")  # noqa: F821, given by Sphinx
LANGUAGE, OTHER = ("ko", "en") if KOREAN else ("en", "ko")
project_file = Path(__file__).resolve().parents[1] / "pyproject.toml"
repository = tomllib.loads(project_file.read_text(encoding="utf-8"))["project"]["urls"][
    "Repository"
]

project = "순환 신경망" if KOREAN else "Recurrent neural networks"
author = "The authors of the RNN course"
copyright = "The authors of the RNN course. Code: MIT. Text and drawings: CC BY 4.0"
language = LANGUAGE
extensions = ["myst_nb", "sphinx_copybutton"]

# notebooks: the stored outputs, never executed
nb_execution_mode = "off"
nb_merge_streams = True
nb_mime_priority_overrides = [("html", "text/html", 0)]
nb_code_prompt_show = "코드 보기" if KOREAN else "Show code"
nb_code_prompt_hide = "코드 숨기기" if KOREAN else "Hide code"
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_dmath_double_inline = True
myst_heading_anchors = 3
copybutton_selector = "div.cell_input pre, div.highlight-python pre, div.highlight-sh pre"

# formulas: MathJax lies beside the pages
mathjax_path = "mathjax.js"
mathjax3_config = {"svg": {"fontCache": "local"}, "options": {"enableMenu": False}}


class Korean(en.SearchEnglish):
    """English words by their stem; Korean words also by their beginnings, because particles stick to them."""

    lang = "ko"
    language_name = "English"  # whose stemmer the search page loads

    def split(self, text):
        return [part for word in super().split(text) for part in hangul.beginnings(word)]


languages["ko"] = Korean

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["_static"]  # and what tools/website.py adds
templates_path = ["_templates"]
html_css_files = ["course.css"]
html_js_files = [("figures.js", {"defer": "defer"})]
html_show_sourcelink = False
html_copy_source = False
html_context = {
    "default_mode": "auto",
    "other_language": OTHER,
    "other_name": "English" if KOREAN else "한국어",
}
html_theme_options = {
    "repository_url": repository,
    "repository_branch": "main",
    "path_to_docs": f"notebooks/{LANGUAGE}",
    "use_repository_button": True,
    "use_issues_button": True,
    "use_download_button": False,
    "launch_buttons": {
        "colab_url": "https://colab.research.google.com",
        "binderhub_url": "https://mybinder.org",
        "notebook_interface": "jupyterlab",
    },
    "article_header_end": ["language.html", "article-header-buttons.html"],
    "navbar_persistent": [],
    "footer_content_items": ["copyright.html"],
    "show_toc_level": 2,
}
