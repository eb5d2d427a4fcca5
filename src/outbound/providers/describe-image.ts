import type { DescribeImage } from '../../domain/ports.ts';
import { ImageFault } from './openai/images/image-fault.ts';
import { readImageHeader } from './openai/images/image-header.ts';

/** Reads type and size of an image by the rules for images of responses. */
export const describeImage: DescribeImage = (bytes) => {
  try {
    return readImageHeader(bytes);
  } catch (error) {
    if (error instanceof ImageFault) return null;
    throw error;
  }
};
