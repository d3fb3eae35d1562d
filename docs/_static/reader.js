// The network on the first page: a GRU computed here, word by word, with the weights of reader-model.js (see docs/reader.py).
(() => {
  const model = window.readerModel, figure = document.getElementById("reader");
  if (!model || !figure) return;
  const { units, examples } = model, text = figure.dataset;
  const W = {};
  for (const [name, { scale, bytes }] of Object.entries(model.weights))
    W[name] = Float32Array.from(atob(bytes), (letter) => ((letter.charCodeAt(0) << 24) >> 24) * scale);
  const index = new Map(model.words.split(" ").map((word, i) => [word, i + 2]));
  const sigmoid = (x) => 1 / (1 + Math.exp(-x));

  // x @ W for the columns of one gate
  const product = (x, weights, gate) =>
    Array.from({ length: units }, (_, j) => x.reduce((sum, value, i) => sum + value * weights[i * 3 * units + gate * units + j], 0));

  function step(h, word) {
    const id = index.get(word) ?? 1, x = [...W.embedding.slice(id * units, (id + 1) * units)];
    const gate = (g, state) => {
      const input = product(x, W.kernel, g), memory = product(state, W.recurrent, g);
      return input.map((value, j) => value + memory[j] + W.bias[g * units + j]);
    };
    const z = gate(0, h).map(sigmoid), r = gate(1, h).map(sigmoid);
    const candidate = gate(2, h.map((value, j) => r[j] * value)).map(Math.tanh);
    return h.map((value, j) => z[j] * value + (1 - z[j]) * candidate[j]);
  }

  window.readSentence = (sentence) => {
    let h = new Array(units).fill(0);
    return sentence.split(/\s+/).filter((part) => /[a-z]/i.test(part)).map((part) => {
      for (const word of part.toLowerCase().match(/[a-z]+(?:'[a-z]+)?/g)) h = step(h, word);
      return { part, h, p: sigmoid(h.reduce((sum, value, j) => sum + value * W.dense[j], W.denseBias[0])) };
    });
  };

  const make = (tag, parent, attributes = {}) => parent.appendChild(Object.assign(document.createElement(tag), attributes));
  const panel = document.createElement("div");
  panel.className = "reader";
  const form = make("form", panel);
  const input = make("input", form, { type: "text", maxLength: 120, value: Object.keys(examples)[0], ariaLabel: text.label, lang: "en" });
  make("button", form, { textContent: text.again });
  const chips = make("p", panel, { className: "chips", textContent: `${text.examples}: ` });
  const chain = make("div", panel, { className: "chain", lang: "en" });
  const said = make("p", panel, { className: "said", role: "status" });
  for (const sentence of Object.keys(examples))
    make("button", chips, { type: "button", textContent: sentence, lang: "en", onclick: () => { input.value = sentence; read(); } });

  let timer;
  function read() {
    const steps = window.readSentence(input.value).slice(0, 24);
    const pause = matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 220;
    clearTimeout(timer);
    chain.replaceChildren();
    const legend = make("div", make("div", chain, { className: "step" }), { className: "guess legend", lang: document.documentElement.lang });
    for (const side of ["up", "down"]) make("b", legend, { textContent: text[side] });
    said.textContent = "";
    (function next(i) {
      if (i >= steps.length) return;
      const { part, h, p } = steps[i], column = make("div", chain, { className: "step" });
      const guess = make("div", make("div", column, { className: "guess" }), { className: p < 0.5 ? "down" : "up" });
      guess.style.height = `${100 * Math.abs(p - 0.5)}%`;
      const cell = make("div", column, { className: "state" });
      for (const value of h) make("i", cell).style.background = `color-mix(in srgb, ${value < 0 ? "#d55e00" : "#0072b2"} ${Math.round(100 * Math.abs(value))}%, #fff)`;
      make("span", column, { textContent: part });
      said.textContent = text.say.replace("{word}", part.replace(/[^\w']+$/, "")).replace("{percent}", Math.round(100 * p));
      if (pause) timer = setTimeout(next, pause, i + 1);
      else next(i + 1);
    })(0);
  }
  form.onsubmit = (event) => { event.preventDefault(); read(); };
  figure.querySelector("img").replaceWith(panel);
  read();
})();
