// Draws the interactive figures in place of their still pictures, each when it comes near. plotly.js lies beside this file and is
// fetched with the first of them; without it the pictures stay.
(() => {
  const here = document.currentScript.src.replace(/[^/]*$/, "");
  let loading;
  const plotly = () =>
    (loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = here + "plotly.min.js";
      script.onload = () => resolve(window.Plotly);
      script.onerror = reject;
      document.head.append(script);
    }));

  async function draw(box) {
    if (box.dataset.state) return;
    box.dataset.state = "drawing";
    const still = box.querySelector("img");
    const figure = JSON.parse(box.querySelector("script").textContent);
    const Plotly = await plotly();
    const live = document.createElement("div");
    const height = Math.min(figure.layout.height || 450, box.closest(".reveal") ? 540 : Infinity); // a slide is 720 high
    figure.layout.height = height;
    live.style.height = height + "px";
    box.append(live);
    await Plotly.newPlot(live, figure.data, figure.layout, { responsive: true, displaylogo: false });
    if (figure.frames && figure.frames.length) await Plotly.addFrames(live, figure.frames);
    still.hidden = true;
    box.dataset.state = "live";
  }

  const attempt = (box) => draw(box).catch((error) => console.warn(error));
  const boxes = (root) => [...root.querySelectorAll(".plotly-figure")];
  window.drawFigures = (root = document) => Promise.all(boxes(root).map(attempt)); // the decks call it for each slide
  if (document.querySelector(".reveal")) return;
  document.addEventListener("DOMContentLoaded", () => {
    const near = new IntersectionObserver(
      (entries) => entries.filter((entry) => entry.isIntersecting).forEach((entry) => attempt(entry.target)),
      { rootMargin: "600px" },
    );
    boxes(document).forEach((box) => near.observe(box));
    window.addEventListener("beforeprint", () => window.drawFigures());
  });
})();
