"""The factory: what makes notebooks, pages, slides and the record. No notebook imports it."""
