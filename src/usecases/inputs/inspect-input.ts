import { AppError } from '../../domain/errors.ts';
import type { InputName } from '../../domain/input-image.ts';
import { pointerOf } from '../../domain/input-image.ts';
import type { ImageInspector, InspectedImage, LocalFile, Staging } from '../../domain/ports.ts';

interface Deps {
  inspector: ImageInspector;
  staging: Pick<Staging, 'remove'>;
}

/**
 * Inspects the file of an input and checks the rules of its role. A refused input leaves no new file.
 *
 * @throws AppError `input_invalid` with the pointer of the input.
 */
export async function inspectInput(
  { inspector, staging }: Deps,
  input: InputName,
  file: LocalFile,
): Promise<InspectedImage> {
  const inspected = await naming(pointerOf(input), () =>
    inspector.inspect(file, { findTransparency: input.role === 'markup' }),
  );
  const fault = roleFault(input, inspected);
  if (fault === null) return inspected;
  if (inspected.isRewritten) await staging.remove(inspected.file);
  throw inputInvalid(pointerOf(input), fault);
}

function roleFault(
  { role }: InputName,
  { contentType, hasAlpha, hasTransparency }: InspectedImage,
): string | null {
  if (role === 'image') return null;
  if (contentType !== 'image/png') return 'It must be a PNG.';
  if (!hasAlpha) return 'It has no alpha channel. Make the area transparent and save it as PNG with alpha.';
  if (role === 'markup' && hasTransparency === false) return 'It has no transparent pixels.';
  return null;
}

/** Returns the error of an input that cannot be used. */
export function inputInvalid(pointer: string, detail: string, cause?: unknown): AppError {
  return new AppError('input_invalid', { detail, issues: [{ pointer, detail }], cause });
}

/** Adds the pointer of an input to the error of work on it. */
export async function naming<T>(pointer: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AppError) || error.issues.length > 0) throw error;
    if (error.code !== 'input_invalid' && error.code !== 'payload_too_large') throw error;
    const { code, message: detail, cause } = error;
    throw new AppError(code, { detail, issues: [{ pointer, detail }], cause });
  }
}

/** Returns the facts of an inspected file. */
export function factsOf({ file, contentType, width, height }: InspectedImage) {
  return { contentType, width, height, sizeBytes: file.sizeBytes, sha256: file.sha256 };
}
