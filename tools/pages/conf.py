"""Sphinx's settings for the reading edition."""

project = html_title = "Vanishing and exploding gradients"
language = "en"
extensions = ["myst_nb"]
exclude_patterns = ["conf.py"]
templates_path = ["_templates"]

html_theme = "furo"
html_theme_options: dict[str, list[str]] = {"top_of_page_buttons": [], "footer_icons": []}
html_static_path = ["_static"]
html_css_files = ["course.css"]
html_js_files = [("course.js", {"defer": "defer"})]
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_show_search_summary = False  # it would fetch pages, which a browser refuses to files
html_use_index = False
pygments_style = "a11y-light"
pygments_dark_style = "a11y-dark"

myst_enable_extensions = ["amsmath", "dollarmath"]
mathjax_path = "mathjax/tex-chtml-full.js"
mathjax3_config = {"options": {"enableMenu": False}}  # its menu makes each formula a tab stop
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_ipywidgets_js: dict[str, str] = {}
