"use strict";
(() => {
  const lost = document.getElementById("lost");
  let answered = new Date(), shown = answered;
  const say = (words, quiet) => {
    // The same words again would be read out again.
    if (lost.textContent !== words) lost.textContent = words;
    lost.className = quiet ? "paused" : "";
    lost.hidden = !words;
  };
  const put = (fresh) => {
    document.title = fresh.dataset.title;
    // Whoever marks text shall not lose it.
    if (!document.getSelection().isCollapsed) {
      return say("Paused while text is marked: what stands below is of " + shown.toLocaleTimeString() + ".", true);
    }
    const main = document.querySelector("main");
    const ids = (e) => [...e.children].map((c) => c.id).join();
    shown = answered;
    say("");
    if (ids(main) !== ids(fresh)) return main.replaceWith(fresh);
    for (const part of [...fresh.children]) {
      const old = document.getElementById(part.id);
      if (old.outerHTML !== part.outerHTML) old.replaceWith(part);
    }
  };
  const ask = async () => {
    try {
      const answer = await fetch("live", { cache: "no-store", signal: AbortSignal.timeout(4000) });
      if (!answer.ok) throw new Error(answer.statusText);
      const box = document.createElement("template");
      box.innerHTML = await answer.text();
      answered = new Date();
      put(box.content.querySelector("main"));
    } catch {
      say("pfwatch has not answered since " + answered.toLocaleTimeString() + ": what stands below is old.");
    }
    setTimeout(ask, document.hidden ? 5000 : 1000);
  };
  setTimeout(ask, 1000);
})();
