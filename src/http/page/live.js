"use strict";
(() => {
  const lost = document.getElementById("lost");
  let answered = new Date();
  const put = (fresh) => {
    document.title = fresh.dataset.title;
    const main = document.querySelector("main");
    const ids = (e) => [...e.children].map((c) => c.id).join();
    // Whoever marks text shall not lose it.
    if (!document.getSelection().isCollapsed) return;
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
      put(box.content.querySelector("main"));
      answered = new Date();
      lost.hidden = true;
    } catch {
      lost.textContent = "pfwatch has not answered since " + answered.toLocaleTimeString() + ": what stands below is old.";
      lost.hidden = false;
    }
    setTimeout(ask, document.hidden ? 5000 : 1000);
  };
  setTimeout(ask, 1000);
})();
