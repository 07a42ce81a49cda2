// Building and updating elements. Text always goes in as text: nothing here reads HTML.

/// Makes an element: `class`, `text`, `on` ({event: listener}), boolean properties and attributes; children are nodes,
/// strings, or null for nothing.
export function el(tag, { class: name, text, on, ...rest } = {}, ...children) {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  for (const [event, listener] of Object.entries(on ?? {})) node.addEventListener(event, listener);
  for (const [key, value] of Object.entries(rest)) {
    if (typeof value === 'boolean') node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

export function svg(tag, attributes = {}, ...children) {
  const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

export const byId = (id) => document.getElementById(id);

const shown = new WeakMap(); // parent -> Map key -> node
const releases = new WeakMap(); // node -> function

/// `release` runs when `reconcile` takes the node away.
export function onRelease(node, release) {
  releases.set(node, release);
}

/// Makes the children of `parent` those of `rows`: `{key, build(), update?(node)}` in order. Nodes are kept by their key,
/// so focus, scroll position and loaded pictures stay.
export function reconcile(parent, rows) {
  const old = shown.get(parent) ?? new Map();
  const next = new Map();
  for (const row of rows) next.set(row.key, null);
  for (const [key, node] of old) {
    if (next.has(key)) continue;
    node.remove();
    releases.get(node)?.();
  }
  let cursor = parent.firstChild;
  for (const row of rows) {
    const node = old.get(row.key) ?? row.build();
    row.update?.(node);
    next.set(row.key, node);
    if (node === cursor) cursor = cursor.nextSibling;
    else parent.insertBefore(node, cursor);
  }
  shown.set(parent, next);
}

/// Sets text only when it differs, so that live regions stay quiet.
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/// One of a few calm colours that a name always gets.
export function hue(name) {
  let hash = 7;
  for (let i = 0; i < name.length; i += 1) hash = (hash * 31 + name.charCodeAt(i)) >>> 0;
  return `hue-${hash % 8}`;
}

export function avatar(name) {
  return el('span', { class: `avatar ${hue(name)}`, 'aria-hidden': 'true', text: [...name][0]?.toUpperCase() ?? '?' });
}
