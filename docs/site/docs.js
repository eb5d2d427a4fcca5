/** Search, theme and copy buttons. Pages are complete without them. */
const maxResults = 12;

const find = (selector) => document.querySelector(selector);

function create(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Adds a copy button to every block of code. */
function addCopyButtons() {
  if (!navigator.clipboard) return;
  for (const block of document.querySelectorAll('.code')) {
    const button = create('button', { type: 'button', class: 'copy' }, 'Copy');
    button.addEventListener('click', async () => {
      await navigator.clipboard.writeText(block.querySelector('code').textContent);
      button.textContent = 'Copied';
      setTimeout(() => {
        button.textContent = 'Copy';
      }, 2000);
    });
    block.append(button);
  }
}

/** Shows the button that changes the theme: system, light, dark. */
function showThemeButton() {
  const themes = ['system', 'light', 'dark'];
  const button = find('.theme');
  let theme = document.documentElement.dataset.theme ?? 'system';
  const show = () => {
    button.textContent = `Theme: ${theme}`;
    if (theme === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  button.addEventListener('click', () => {
    theme = themes[(themes.indexOf(theme) + 1) % themes.length];
    try {
      localStorage.setItem('darkroom.theme', theme);
    } catch {
      // The choice lasts until the next page.
    }
    show();
  });
  button.hidden = false;
  show();
}

/** Scores a section: a match in its heading counts more than one in its text. Every word must occur. */
function scoreOf([page, , anchor, heading, body], words) {
  let score = 0;
  for (const word of words) {
    const inHeading = heading.toLowerCase().includes(word) || anchor.toLowerCase() === word;
    const inPage = page.toLowerCase().includes(word);
    const at = body.toLowerCase().indexOf(word);
    if (!inHeading && !inPage && at < 0) return 0;
    score += (inHeading ? 10 : 0) + (inPage ? 3 : 0) + (at >= 0 ? 1 : 0);
  }
  return score;
}

/** Returns the part of a text around the first word, with the words marked. */
function excerptOf(body, words) {
  const at = Math.max(0, body.toLowerCase().indexOf(words[0]) - 40);
  const text = (at > 0 ? '…' : '') + body.slice(at, at + 140);
  const pattern = new RegExp(
    `(${words.map((word) => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|')})`,
    'iu',
  );
  const parts = text.split(new RegExp(pattern, 'giu'));
  return parts.map((part) => (pattern.test(part) ? create('mark', {}, part) : part));
}

function showSearch() {
  const input = find('#search');
  const list = find('#results');
  const status = find('#search-status');
  let sections;
  let selected = -1;

  const load = async () => {
    sections ??= await (await fetch('search.json')).json();
  };
  const close = () => {
    list.hidden = true;
    selected = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  };
  const select = (index) => {
    const options = [...list.children];
    if (options.length === 0) return;
    selected = (index + options.length) % options.length;
    options.forEach((option, i) => {
      option.setAttribute('aria-selected', String(i === selected));
    });
    options[selected].scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', options[selected].id);
  };
  const search = async () => {
    await load();
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return close();
    const found = sections
      .map((section) => [scoreOf(section, words), section])
      .filter(([score]) => score > 0)
      .sort(([a], [b]) => b - a)
      .slice(0, maxResults);
    list.replaceChildren(
      ...found.map(([, [page, slug, anchor, heading, body]], i) =>
        create(
          'a',
          {
            role: 'option',
            id: `result-${i}`,
            href: `${slug}#${anchor}`,
            tabindex: '-1',
            'aria-selected': 'false',
          },
          create('strong', {}, heading),
          create('span', { class: 'result-page' }, page),
          create('span', { class: 'result-text' }, ...excerptOf(body, words)),
        ),
      ),
    );
    status.textContent = found.length === 0 ? 'Nothing found' : `${found.length} results`;
    list.hidden = found.length === 0;
    input.setAttribute('aria-expanded', String(found.length > 0));
    selected = -1;
  };

  input.addEventListener('focus', load, { once: true });
  input.addEventListener('input', search);
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown') select(selected + 1);
    else if (event.key === 'ArrowUp') select(selected - 1);
    else if (event.key === 'Enter') list.children[Math.max(0, selected)]?.click();
    else if (event.key === 'Escape') close();
    else return;
    event.preventDefault();
  });
  list.addEventListener('click', close);
  document.addEventListener('click', (event) => {
    if (!find('.search').contains(event.target)) close();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key !== '/' || /^(INPUT|TEXTAREA)$/.test(document.activeElement.tagName)) return;
    event.preventDefault();
    input.focus();
  });
  find('.search').hidden = false;
}

addCopyButtons();
showThemeButton();
showSearch();
