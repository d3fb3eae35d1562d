// Starts reveal.js; before a slide is shown its formulas and figures are drawn and its text is made small enough to fit.
(() => {
  const SMALLEST = 0.5;
  const ready = new Map();

  function shrink(part, tooLarge) {
    let size = 1;
    part.style.setProperty("--size", size);
    while (tooLarge() && size > SMALLEST) part.style.setProperty("--size", (size = Math.round(100 * size - 3) / 100));
    return size;
  }

  function fit(slide) {
    const box = slide.querySelector(".fit");
    const wide = (part) => part.scrollWidth > part.clientWidth + 2;
    let size = shrink(box, () => box.scrollHeight > 692);
    for (const part of box.querySelectorAll(".code, .output, .table, .text table")) {
      const inner = part.matches(".code") ? part.querySelector("pre") : part;
      if (wide(inner)) size = Math.min(size, shrink(part, () => wide(inner)));
    }
    const wideBox = () => box.scrollWidth > box.clientWidth + 2 || box.scrollHeight > 692; // a long formula
    if (wideBox()) size = Math.min(size, shrink(box, wideBox));
    slide.dataset.size = size;
    slide.dataset.overflow = box.scrollHeight > 692 || box.scrollWidth > box.clientWidth + 2;
  }

  async function prepare(slide) {
    if (!slide || ready.has(slide)) return ready.get(slide);
    const work = (async () => {
      await window.MathJax.startup.promise;
      await window.MathJax.typesetPromise([slide.querySelector(".fit")]);
      await window.drawFigures(slide);
      await Promise.all([...slide.querySelectorAll("img")].map((image) => image.decode().catch(() => {})));
      fit(slide);
      slide.dataset.ready = "yes";
    })();
    ready.set(slide, work);
    return work;
  }

  Reveal.on("ready", async (event) => {
    if (Reveal.isPrintingPDF?.()) for (const slide of Reveal.getSlides()) await prepare(slide);
    else prepare(event.currentSlide);
  });
  Reveal.on("slidechanged", (event) => prepare(event.currentSlide));
  Reveal.initialize({
    width: 1280, height: 720, margin: 0.03, center: false, hash: true, slideNumber: "c/t", transition: "none",
    navigationMode: "linear", // one key for all slides
    pdfSeparateFragments: false, plugins: [RevealNotes],
  });
})();
