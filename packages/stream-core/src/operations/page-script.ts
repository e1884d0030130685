/**
 * Keeps the page current: loads it again, and replaces the sections that have changed. What somebody is busy with is left alone: a field, a
 * selection, what was scrolled. It is named in the content security policy by its hash.
 */
export const pageScript = `
'use strict';
(() => {
  const everyMs = 2000;
  const pause = document.getElementById('pause');
  const stale = document.getElementById('stale');
  const verdict = document.getElementById('verdict');
  const last = new Map([...document.querySelectorAll('[data-live]')].map((section) => [section.id, section.innerHTML]));
  let isPaused = false;
  let answeredAt = new Date();
  pause.hidden = false;
  document.getElementById('still').hidden = true;
  pause.addEventListener('click', () => {
    isPaused = !isPaused;
    pause.textContent = isPaused ? 'Go on updating' : 'Pause updates';
    if (!isPaused) update();
  });
  const isBusy = (section) => {
    const { activeElement } = document;
    if (section.contains(activeElement) && activeElement.matches('input, select, button')) return true;
    for (const field of section.querySelectorAll('input')) if (field.value !== field.defaultValue) return true;
    const selection = getSelection();
    return selection !== null && !selection.isCollapsed && section.contains(selection.anchorNode);
  };
  const replace = (section, next) => {
    const before = [...section.querySelectorAll('.scroll')];
    const places = before.map((box) => [box.scrollLeft, box.scrollTop]);
    const focused = before.indexOf(document.activeElement);
    const open = [...section.querySelectorAll('details')].map((details) => details.open);
    const summary = [...section.querySelectorAll('summary')].indexOf(document.activeElement);
    section.replaceChildren(...next.childNodes);
    for (const [i, details] of [...section.querySelectorAll('details')].entries()) details.open = open[i] === true;
    section.querySelectorAll('summary')[summary]?.focus({ preventScroll: true });
    for (const [i, box] of [...section.querySelectorAll('.scroll')].entries()) {
      if (places[i]) [box.scrollLeft, box.scrollTop] = places[i];
      if (i === focused) box.focus({ preventScroll: true });
    }
  };
  async function update() {
    try {
      const address = location.pathname + location.search;
      const response = await fetch(address, { cache: 'no-store', signal: AbortSignal.timeout(10000) });
      if (!response.ok) throw new Error('it answers ' + response.status);
      const next = new DOMParser().parseFromString(await response.text(), 'text/html');
      if (isPaused) return;
      for (const section of document.querySelectorAll('[data-live]')) {
        const other = next.getElementById(section.id);
        if (other === null || last.get(section.id) === other.innerHTML || isBusy(section)) continue;
        last.set(section.id, other.innerHTML);
        replace(section, other);
      }
      const told = next.getElementById('verdict');
      if (told.textContent !== verdict.textContent) {
        verdict.className = told.className;
        verdict.replaceChildren(...told.childNodes);
      }
      document.title = next.title;
      answeredAt = new Date();
      stale.hidden = true;
    } catch (error) {
      stale.textContent = 'This instance has not answered since ' + answeredAt.toISOString().slice(11, 19) +
        'Z (' + error.message + '). What is shown is as old; it is asked again.';
      stale.hidden = false;
    }
  }
  const loop = async () => {
    if (!isPaused && !document.hidden) await update();
    setTimeout(loop, everyMs);
  };
  setTimeout(loop, everyMs);
})();
`
