import { ResponseFault } from './response-fault.ts';

/** Type and size of an image, read from its bytes. */
export interface ImageHeader {
  readonly contentType: 'image/png' | 'image/jpeg' | 'image/webp' | 'image/gif' | 'image/svg+xml';
  /** Pixels as stored, without a rotation by metadata. For a drawing, its size at scale 1. */
  readonly width: number;
  readonly height: number;
}

/** Describes why bytes are no complete image. */
export class ImageFault extends ResponseFault {}
