import { AppError, type FieldIssue } from './errors.ts';
import { ImageRequestBody, type ImageRequestFields, maxPromptCodePoints } from './image-request.ts';
import { pointerToken } from './json-pointer.ts';
import { hasMoreCodePoints, numberFault, showsSomething, textFault } from './text.ts';

/** Maximum size of `provider_options`, in bytes of JSON without whitespace and without optional escapes. */
export const maxProviderOptionsBytes = 8 * 1024;

/** Parameters that Darkroom itself sets. As `provider_options` they could double a payment or lose an image. */
const reservedProviderOptions = new Set([
  ...Object.keys(ImageRequestBody.shape),
  'image',
  'stream',
  'response_format',
]);

/**
 * Applies the checks that the JSON Schema cannot express: Unicode, exact numbers, reserved provider options, prompts
 * that are blank or have too many code points.
 *
 * @throws AppError `validation_failed` naming every faulty field.
 */
export function checkRequestText(body: ImageRequestFields): void {
  const issues = inexactIssues(body);
  // A blank prompt is refused, because the provider would generate an arbitrary image and charge it.
  if (!showsSomething(body.prompt)) {
    issues.push({ pointer: '/prompt', detail: 'must say something, not only spaces' });
  }
  if (hasMoreCodePoints(body.prompt, maxPromptCodePoints)) {
    issues.push({ pointer: '/prompt', detail: `must have at most ${maxPromptCodePoints} code points` });
  }
  if (body.provider_options) issues.push(...providerOptionIssues(body.provider_options));
  if (issues.length > 0) {
    throw new AppError('validation_failed', { detail: 'Correct the fields listed in errors.', issues });
  }
}

/** Returns an issue for every text, key and number in a value that cannot be passed on unchanged. */
export function inexactIssues(value: unknown): FieldIssue[] {
  if (typeof value === 'string') return issuesOf(textFault(value));
  if (typeof value === 'number') return issuesOf(numberFault(value));
  if (value === null || typeof value !== 'object') return [];
  const issues: FieldIssue[] = [];
  for (const [key, nested] of Object.entries(value)) {
    const fault = textFault(key);
    // The pointer is built only for faulty values, because building it takes longer than the check.
    for (const { pointer, detail } of fault ? issuesOf(fault) : inexactIssues(nested)) {
      issues.push({ pointer: `/${pointerToken(key)}${pointer}`, detail });
    }
  }
  return issues;
}

function issuesOf(fault: string | null): FieldIssue[] {
  return fault === null ? [] : [{ pointer: '', detail: fault }];
}

function providerOptionIssues(options: Record<string, unknown>): FieldIssue[] {
  const issues: FieldIssue[] = [];
  for (const key of Object.keys(options)) {
    if (reservedProviderOptions.has(key)) {
      issues.push({
        pointer: `/provider_options/${pointerToken(key)}`,
        detail: `${key} is decided by Darkroom or is a field of its own and cannot be a provider option`,
      });
    }
  }
  if (new TextEncoder().encode(JSON.stringify(options)).byteLength > maxProviderOptionsBytes) {
    issues.push({
      pointer: '/provider_options',
      detail: `must be at most ${maxProviderOptionsBytes} bytes of JSON`,
    });
  }
  return issues;
}
