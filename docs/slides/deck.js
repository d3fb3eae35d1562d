// Starts reveal.js; before a slide is shown its formulas and figures are drawn and its text is made small enough to fit.
(() => {
  const SMALLEST = 0.5;
  const ready = new Map();

  function fit(slide) {
    const box = slide.querySelector(".fit");
    let size = 1;
    const tooLarge = () => box.scrollHeight > 690 || box.scrollWidth > box.clientWidth + 2 ||
      [...box.querySelectorAll(".code pre, .output, .table")].some((part) => part.scrollWidth > part.clientWidth + 2);
    box.style.setProperty("--size", size);
    while (tooLarge() && size > SMALLEST) box.style.setProperty("--size", (size = Math.round(100 * size - 4) / 100));
    slide.dataset.size = size;
    slide.dataset.overflow = tooLarge();
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
    pdfSeparateFragments: false, plugins: [RevealNotes],
  });
})();
