import { z } from 'zod';
import { AppError, type FieldIssue } from './errors.ts';
import type { PresetChoice } from './image-request.ts';
import { maxInputImages } from './input-image.ts';
import { pointerToken } from './json-pointer.ts';
import { countCodePoints } from './text.ts';

/**
 * Presets: named templates for a caller's prompt, with variables and default parameters. They are data from a file that an
 * operator can extend. A template is filled in, never evaluated.
 */

const maxValueCodePoints = 120;
const placeholder = /\{\{([a-z][a-z0-9_]{0,63})\}\}/g;
const promptName = 'prompt';
/** Matches every quotation mark except a typographic apostrophe within a word (l’ombre), which ends no quotation. */
const quotationMark = /(?!(?<=[\p{L}\p{M}])’\p{L})\p{Quotation_Mark}/gu;

export const PresetVariable = z.strictObject({
  description: z.string().min(1).describe('Text for people.'),
  default: z
    .string()
    .min(1)
    .optional()
    .describe('Value if the caller sets none. If absent, the variable is required.'),
  max_length: z
    .int()
    .min(1)
    .max(512)
    .optional()
    .describe(`Maximum length of a value, in code points. If absent, ${maxValueCodePoints}.`),
  one_of: z
    .array(z.string().min(1))
    .min(1)
    .optional()
    .describe('Allowed values. If absent, any value is allowed.'),
});
export type PresetVariable = z.infer<typeof PresetVariable>;

export const PresetDefaults = z.strictObject({
  model: z.string().min(1).optional().describe('`model` of the request.'),
  size: z.string().min(1).optional().describe('`size` of the request.'),
  quality: z.string().min(1).optional().describe('`quality` of the request.'),
  background: z.string().min(1).optional().describe('`background` of the request.'),
  output_format: z.string().min(1).optional().describe('`output_format` of the request.'),
});

export type PresetDefaults = z.infer<typeof PresetDefaults>;

export const Preset = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,63}$/)
      .describe('Name of the preset: lowercase letters, digits and hyphens.'),
    description: z.string().min(1).describe('Text for people.'),
    template: z
      .string()
      .min(1)
      .max(8_000)
      .describe('Text around the prompt, with `{{prompt}}` and every variable as `{{name}}`.'),
    variables: z
      .record(z.string().regex(/^[a-z][a-z0-9_]{0,63}$/), PresetVariable)
      .default({})
      .describe('Variables by name.'),
    requires_images: z
      .int()
      .min(1)
      .max(maxInputImages)
      .optional()
      .describe('Minimum number of `images` in a request. If absent, the preset needs none.'),
    defaults: PresetDefaults.default({}).describe(
      'Fields of the request that apply if the caller sets none.',
    ),
  })
  .superRefine((preset, context) => {
    for (const fault of [...templateFaults(preset), ...variableFaults(preset.variables)]) {
      context.addIssue({ code: 'custom', ...fault });
    }
  });
export type Preset = z.infer<typeof Preset>;

export const PresetFile = z
  .strictObject({ $comment: z.string().optional(), presets: z.array(Preset) })
  .superRefine(({ presets }, context) => {
    const known = new Set<string>();
    for (const [i, { name }] of presets.entries()) {
      if (known.has(name))
        context.addIssue({ code: 'custom', path: ['presets', i], message: `lists ${name} twice` });
      known.add(name);
    }
  });
export type PresetFile = z.infer<typeof PresetFile>;

/** A preset with the variables of a request. */
export interface ChosenPreset {
  readonly preset: Preset;
  readonly variables: Readonly<Record<string, string>>;
}

export interface Presets {
  /** All presets in the order of the files. A replacement has the position of the preset that it replaces. */
  readonly all: readonly Preset[];
  /**
   * Returns the preset that a request names; `null` if the request names none.
   *
   * @throws AppError `validation_failed` if the preset does not exist.
   */
  choose(choice: PresetChoice | undefined): ChosenPreset | null;
}

/** Indexes preset files. A preset of a later file replaces a preset of the same name. */
export function createPresets(files: readonly PresetFile[]): Presets {
  const byName = new Map<string, Preset>();
  for (const file of files) {
    for (const preset of file.presets) byName.set(preset.name, preset);
  }
  return {
    all: [...byName.values()],
    choose(choice) {
      if (choice === undefined) return null;
      const name = typeof choice === 'string' ? choice : choice.name;
      const preset = byName.get(name);
      if (preset) return { preset, variables: (typeof choice === 'object' && choice.variables) || {} };
      throw new AppError('validation_failed', {
        detail: `There is no preset of that name. GET /presets lists them.`,
        issues: [
          {
            pointer: typeof choice === 'string' ? '/preset' : '/preset/name',
            detail: `must be one of ${[...byName.keys()].join(', ')}`,
          },
        ],
      });
    },
  };
}

/**
 * Returns the template of a preset with all variables, split at the positions of the prompt. The whole text is
 * `template.join(prompt)`.
 *
 * The prompt is inserted unchanged. A value is one line without characters that control the line or its direction. Its
 * quotation marks become plain apostrophes, so that a value cannot end a quotation of the template in any language. The
 * template is filled in one pass, so that `{{...}}` in a prompt or value stays unchanged.
 *
 * @throws AppError `validation_failed` naming every variable that is unknown, missing, too long or not allowed.
 */
export function promptTemplateOf({ preset, variables }: ChosenPreset): string[] {
  const issues: FieldIssue[] = [];
  const values = new Map<string, string>();
  const issue = (name: string, detail: string) =>
    issues.push({ pointer: `/preset/variables/${pointerToken(name)}`, detail });

  for (const name of Object.keys(variables)) {
    if (!Object.hasOwn(preset.variables, name)) issue(name, unknownVariable(preset));
  }
  for (const [name, variable] of Object.entries(preset.variables)) {
    const given = Object.hasOwn(variables, name) ? plainValue(variables[name] ?? '') : '';
    const fault = given === '' ? null : valueFault(given, variable);
    if (fault) issue(name, fault);
    else if (given === '' && variable.default === undefined) issue(name, 'is required by this preset');
    else values.set(name, given || (variable.default ?? ''));
  }
  if (issues.length > 0) {
    throw new AppError('validation_failed', {
      detail: `Correct the variables of the preset ${preset.name}.`,
      issues,
    });
  }
  return preset.template
    .split(`{{${promptName}}}`)
    .map((part) => part.replace(placeholder, (mark, name: string) => values.get(name) ?? mark));
}

/**
 * Checks that a request brings the images that its preset needs. Without them the template would describe an image that
 * does not exist, at full cost.
 *
 * @throws AppError `validation_failed` with the pointer `/images`.
 */
export function checkPresetImages({ name, requires_images: min = 0 }: Preset, images: number): void {
  if (images >= min) return;
  const detail = `must hold at least ${min === 1 ? 'one image' : `${min} images`}, because the preset ${name} works on images`;
  throw new AppError('validation_failed', {
    detail: `The preset ${name} needs images. Add them as images, or choose another preset.`,
    issues: [{ pointer: '/images', detail }],
  });
}

function unknownVariable(preset: Preset): string {
  const names = Object.keys(preset.variables);
  return `is not a variable of the preset ${preset.name}, which has ${names.length > 0 ? names.join(', ') : 'none'}`;
}

function plainValue(value: string): string {
  return value
    .replace(/\p{Bidi_Control}/gu, '')
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(quotationMark, "'")
    .trim();
}

function valueFault(value: string, variable: PresetVariable): string | null {
  if (variable.one_of && !variable.one_of.includes(value)) {
    return `must be one of ${variable.one_of.join(', ')}`;
  }
  const maxLength = variable.max_length ?? maxValueCodePoints;
  return countCodePoints(value) > maxLength ? `must have at most ${maxLength} code points` : null;
}

interface Fault {
  path: string[];
  message: string;
}

function templateFaults(preset: { template: string; variables: Record<string, PresetVariable> }): Fault[] {
  const used = new Set([...preset.template.matchAll(placeholder)].map(([, name]) => name ?? ''));
  const declared = Object.keys(preset.variables);
  const messages = [
    ...(used.has(promptName) ? [] : ['must hold {{prompt}}']),
    ...[...used]
      .filter((name) => name !== promptName && !declared.includes(name))
      .map((name) => `holds {{${name}}}, which is not declared in variables`),
    ...declared.filter((name) => !used.has(name)).map((name) => `does not use the variable ${name}`),
    ...(/\{\{|\}\}/.test(preset.template.replace(placeholder, ''))
      ? ['holds {{ or }} that is no placeholder']
      : []),
  ];
  return messages.map((message) => ({ path: ['template'], message }));
}

function variableFaults(variables: Record<string, PresetVariable>): Fault[] {
  return Object.entries(variables).flatMap(([name, variable]) => {
    const messages = [
      ...(name === promptName ? ['prompt is the name of the prompt itself'] : []),
      ...[variable.default, ...(variable.one_of ?? [])]
        .filter((value) => value !== undefined && value !== plainValue(value))
        .map((value) => `${JSON.stringify(value)} must be one line without quotation marks but apostrophes`),
    ];
    const fault = variable.default === undefined ? null : valueFault(variable.default, variable);
    if (fault) messages.push(`its default ${fault}`);
    return messages.map((message) => ({ path: ['variables', name], message }));
  });
}
