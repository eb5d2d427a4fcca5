import type { ComponentChildren } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { thumbHashToDataURL } from 'thumbhash';

interface Props {
  readonly src: string | undefined;
  readonly alt: string;
  /** Placeholder of the image, in base64. */
  readonly thumbhash?: string | null | undefined;
  readonly isEager?: boolean;
}

/** The image of a frame. It appears over its placeholder when its bytes have arrived. */
export function FadingImage({ src, alt, thumbhash, isEager = false }: Props) {
  const placeholder = useMemo(() => placeholderOf(thumbhash), [thumbhash]);
  const [loaded, setLoaded] = useState<string>();
  return (
    <>
      {placeholder && loaded !== src ? <img class="fill" src={placeholder} alt="" /> : null}
      {src ? (
        <img
          key={src}
          class="fading"
          data-loaded={loaded === src}
          src={src}
          alt={alt}
          loading={isEager ? 'eager' : 'lazy'}
          decoding="async"
          onLoad={() => setLoaded(src)}
        />
      ) : null}
    </>
  );
}

/** Returns a ThumbHash as the address of an image; null if there is none, or if it cannot be read. */
function placeholderOf(thumbhash: string | null | undefined): string | null {
  if (!thumbhash) return null;
  try {
    return thumbHashToDataURL(Uint8Array.from(atob(thumbhash), (character) => character.charCodeAt(0)));
  } catch {
    return null;
  }
}

/** A label on an image. */
export function FrameLabel({ children }: { children: ComponentChildren }) {
  return <span class="frame-label">{children}</span>;
}
