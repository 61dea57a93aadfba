"use strict";

// Code: a button that copies it.
for (const code of document.querySelectorAll("article .cell_input pre, article .highlight-python pre")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", () => {
        getSelection().selectAllChildren(code); // if the browser refuses, Ctrl and C are left to press
        navigator.clipboard.writeText(code.textContent.trimEnd())
            .then(() => { button.textContent = "Copied"; getSelection().removeAllRanges(); })
            .catch(() => { button.textContent = "Press Ctrl+C"; });
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
    button.setAttribute("aria-live", "polite");
    code.parentElement.append(button);
}

// What is too wide scrolls: the keyboard must reach it, and nothing else of its kind.
const wide = new ResizeObserver(entries => {
    for (const { target } of entries) {
        if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
        else target.removeAttribute("tabindex");
    }
});
const scrolling = "article :is(pre, mjx-container[display], .table-wrapper, .cell_output)";
addEventListener("load", async () => {
    await window.MathJax?.startup?.promise;
    new ResizeObserver(([{ target }]) => { // a formula wider than the page scrolls on its own
        const wider = each => each.offsetWidth > target.clientWidth;
        for (const formula of [...target.querySelectorAll("span.math")].filter(wider)) {
            formula.classList.add("wide");
            wide.observe(formula);
        }
    }).observe(document.querySelector("article"));
    document.querySelectorAll(scrolling).forEach(each => wide.observe(each));
});

// Sliders: one picture for each value.
for (const slider of document.querySelectorAll(".slider")) {
    const { frames, captions } = JSON.parse(slider.querySelector("script").textContent);
    const ranges = [...slider.querySelectorAll("input")];
    const image = slider.querySelector("img");
    const show = () => {
        let place = 0;
        const values = ranges.map(range => {
            const labels = range.dataset.labels.split(" ");
            place = place * labels.length + Number(range.value);
            return range.parentElement.querySelector(".value").textContent = labels[range.value];
        });
        image.src = `${frames}-${place}.png`;
        image.alt = captions[place];
        ranges.forEach((range, i) => range.setAttribute("aria-valuetext", `${values[i]}. ${captions[place]}`));
    };
    const load = () => captions.forEach((_, i) => { new Image().src = `${frames}-${i}.png`; });
    slider.addEventListener("pointerenter", load, { once: true });
    slider.addEventListener("focusin", load, { once: true });
    slider.addEventListener("input", show);
    show(); // a browser may come back to a page with the slider where it was left
}

// The ledger: only the statements with the verdict and the speaker asked for.
for (const ledger of document.querySelectorAll(".ledger")) {
    const filters = [...ledger.querySelectorAll("select")];
    const claims = [...ledger.querySelectorAll("li")];
    const filter = () => {
        for (const claim of claims)
            claim.hidden = filters.some(each => each.value && each.value !== claim.getAttribute(`data-${each.name}`));
        const left = claims.filter(claim => !claim.hidden).length;
        ledger.querySelector("[role=status]").textContent = `${left} of ${claims.length} statements`;
    };
    ledger.addEventListener("change", filter);
    filter();
}
