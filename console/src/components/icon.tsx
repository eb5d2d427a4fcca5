import type { ComponentChildren } from 'preact';

/** Icons on a grid of 16 by 16, drawn as lines in the color of the text. */
const shapes = {
  playground: (
    <>
      <path d="M8 1.8v3M8 11.2v3M1.8 8h3M11.2 8h3" />
      <path d="M8 5.2 9 7l1.8 1L9 9l-1 1.8L7 9 5.2 8 7 7z" />
    </>
  ),
  gallery: (
    <>
      <rect x="2" y="2" width="5" height="5" rx="1" />
      <rect x="9" y="2" width="5" height="5" rx="1" />
      <rect x="2" y="9" width="5" height="5" rx="1" />
      <rect x="9" y="9" width="5" height="5" rx="1" />
    </>
  ),
  webhooks: (
    <>
      <path d="M6.2 5.8 4 9.7M8 3a2.2 2.2 0 0 1 1.7 3.6l2 3.4" />
      <circle cx="3.6" cy="11" r="2" />
      <circle cx="12.4" cy="11.2" r="1.8" />
      <path d="M5.6 11h5" />
      <path d="M6.2 5.8A2.2 2.2 0 0 1 8 3" />
    </>
  ),
  warning: (
    <>
      <path d="M8 2.2 14.4 13.4H1.6z" />
      <path d="M8 6.6v3M8 11.6v.1" />
    </>
  ),
  keys: (
    <>
      <circle cx="5.2" cy="10.8" r="3" />
      <path d="m7.4 8.6 6-6M11 5l2 2" />
    </>
  ),
  usage: (
    <>
      <path d="M2.5 2v11.5H14" />
      <path d="M5.5 10.5V8M8.5 10.5V5M11.5 10.5V7" />
    </>
  ),
  system: (
    <>
      <rect x="2" y="2.5" width="12" height="4.5" rx="1" />
      <rect x="2" y="9" width="12" height="4.5" rx="1" />
      <path d="M4.7 4.8h.1M4.7 11.2h.1" />
    </>
  ),
  docs: (
    <path d="M2.5 3h4c.8 0 1.5.7 1.5 1.5v9c0-.8-.7-1.5-1.5-1.5h-4zM13.5 3h-4C8.7 3 8 3.7 8 4.5v9c0-.8.7-1.5 1.5-1.5h4z" />
  ),
  moon: <path d="M13.5 9.5A6 6 0 0 1 6.5 2.5a6 6 0 1 0 7 7z" />,
  sun: (
    <>
      <circle cx="8" cy="8" r="2.8" />
      <path d="M8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1" />
    </>
  ),
  globe: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M2 8h12M8 2c4.5 4 4.5 8 0 12M8 2c-4.5 4-4.5 8 0 12" />
    </>
  ),
  'sign-out': <path d="M6.5 2.5h-3a1 1 0 0 0-1 1v9a1 1 0 0 0 1 1h3M10.5 5l3 3-3 3M13.5 8H6" />,
  person: (
    <>
      <circle cx="8" cy="5.5" r="2.8" />
      <path d="M2.8 14c.5-2.9 2.6-4.3 5.2-4.3s4.7 1.4 5.2 4.3" />
    </>
  ),
  half: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 2a6 6 0 0 1 0 12z" fill="currentColor" />
    </>
  ),
  box: (
    <>
      <path d="M8 1.8 13.5 5v6L8 14.2 2.5 11V5z" />
      <path d="M2.5 5 8 8.2 13.5 5M8 8.2v6" />
    </>
  ),
  calendar: (
    <>
      <rect x="2" y="3" width="12" height="11" rx="1.5" />
      <path d="M2 6.5h12M5.2 1.7V4M10.8 1.7V4" />
    </>
  ),
  tag: (
    <>
      <path d="M2.5 2.5h5l6 6-5 5-6-6z" />
      <path d="M5.3 5.3h.01" />
    </>
  ),
  plus: <path d="M8 3v10M3 8h10" />,
  minus: <path d="M3 8h10" />,
  ring: <path d="M8 2a6 6 0 1 1-5.2 3" />,
  failed: (
    <>
      <path d="M5.6 2h4.8L14 5.6v4.8L10.4 14H5.6L2 10.4V5.6z" />
      <path d="m6.2 6.2 3.6 3.6M9.8 6.2 6.2 9.8" />
    </>
  ),
  compare: (
    <>
      <rect x="2" y="3" width="12" height="10" rx="1.5" />
      <path d="M8 1.5v13" />
    </>
  ),
  download: <path d="M8 2.5v7.3M4.8 7 8 10.2 11.2 7M2.5 13.5h11" />,
  erase: <path d="M2.5 4.5h11M6 4.5v-2h4v2M4 4.5l.7 9h6.6l.7-9M6.7 7v4M9.3 7v4" />,
  close: <path d="m4 4 8 8M12 4l-8 8" />,
  success: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="m5.4 8.2 1.8 1.8 3.4-3.8" />
    </>
  ),
  edit: (
    <>
      <path d="m3 13 .7-2.9L11 2.8 13.2 5 6 12.3z" />
      <path d="m9.6 4.2 2.2 2.2" />
    </>
  ),
  vary: (
    <path d="M2 4.5h2.2c3.4 0 4.2 7 7.6 7H14M2 11.5h2.2c1.2 0 2-.9 2.7-2M9 6.5c.7-1.1 1.5-2 2.8-2H14M12 2.5l2 2-2 2M12 9.5l2 2-2 2" />
  ),
  chevron: <path d="m6 3.5 4.5 4.5L6 12.5" />,
  'chevron-down': <path d="m3.5 6 4.5 4.5L12.5 6" />,
  copy: (
    <>
      <rect x="5.5" y="5.5" width="8" height="8" rx="1.5" />
      <path d="M10.5 5.5V4A1.5 1.5 0 0 0 9 2.5H4A1.5 1.5 0 0 0 2.5 4v5A1.5 1.5 0 0 0 4 10.5h1.5" />
    </>
  ),
  more: <path d="M3.5 8h.01M8 8h.01M12.5 8h.01" stroke-width="2.2" />,
  retry: <path d="M13.5 8A5.5 5.5 0 1 1 11.7 4l1.8 1.7M13.5 2.5v3.2h-3.2" />,
  canceled: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="m3.8 12.2 8.4-8.4" />
    </>
  ),
  enhance: <path d="m2.5 13.5 7-7M11 2v2.5M9.7 3.2h2.6M13.5 7v2M12.5 8h2M6 2.5v2M5 3.5h2" />,
  image: (
    <>
      <rect x="2" y="2.5" width="12" height="11" rx="1.5" />
      <circle cx="5.6" cy="6" r="1.1" />
      <path d="m2.5 12 3.7-3.6 2.4 2.2L11.4 8l2.4 2.6" />
    </>
  ),
  check: <path d="m3.5 8.4 3 3 6-6.6" />,
  offline: (
    <path d="M2.5 2.5l11 11M6 4V2M10 6V2M4 6h1M8.5 6H12v2.5c0 .5-.1.9-.3 1.3M9.8 11.8c-3 1.2-5.8-.5-5.8-3.3V6M8 12v2.5" />
  ),
  brush: (
    <path d="M13.5 2.5 7 9M7 9c-1.5-.5-3 .3-3.3 2-.2 1-.7 1.5-1.7 1.8 2.5 1.2 5.5.7 5.9-1.8C8.1 10 7.7 9.3 7 9z" />
  ),
  rectangle: <rect x="2.5" y="3.5" width="11" height="9" stroke-dasharray="2.5 2" />,
  undo: <path d="M5.5 3 2.5 6l3 3M2.5 6H10a3.5 3.5 0 0 1 0 7H6" />,
  queued: <circle cx="8" cy="8" r="6" stroke-dasharray="2.4 2.3" />,
  expired: <path d="M4 2h8M4 14h8M4.8 2c0 4 3.2 4 3.2 6s-3.2 2-3.2 6M11.2 2c0 4-3.2 4-3.2 6s3.2 2 3.2 6" />,
  send: <path d="M14 2 7.2 8.8M14 2 9.7 14l-2.5-5.2L2 6.3z" />,
  eraser: (
    <>
      <path d="m9.2 2.8 4 4-6.4 6.4H4.6l-2-2a1 1 0 0 1 0-1.4z" />
      <path d="m5.8 6.2 4 4M6.8 13.2h6.7" />
    </>
  ),
  info: (
    <>
      <circle cx="8" cy="8" r="6" />
      <path d="M8 7.3v3.6M8 5.1v.1" />
    </>
  ),
} satisfies Readonly<Record<string, ComponentChildren>>;

export type IconName = keyof typeof shapes;

/** An icon beside a text. Screen readers skip it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      {shapes[name]}
    </svg>
  );
}
