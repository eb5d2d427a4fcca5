import { z } from 'zod';
import { CatalogueFile, CatalogueModel } from '../src/domain/catalogue-file.ts';
import { createCatalogue } from '../src/domain/model-catalogue.ts';
import { Preset, PresetFile, PresetVariable } from '../src/domain/preset.ts';
import { presetFaults } from '../src/domain/preset-faults.ts';

/** Generates docs/models.md: the formats of the catalogue and of the presets. Its examples are parsed, so they are valid. */

const catalogueExample: z.input<typeof CatalogueFile> = {
  price_version: '2026-11-30',
  models: [
    {
      id: 'house-diffusion-3',
      aliases: ['house'],
      status: 'current',
      sizes: ['auto', '1024x1024', '1536x1024'],
      qualities: ['auto', 'standard', 'fine'],
      output_formats: ['png', 'webp'],
      edits: null,
      prices: { text_in: 1, image_in: 2, image_out: 10 },
      output_tokens: {
        standard: { '1024x1024': 1000, '1536x1024': 1500 },
        fine: { '1024x1024': 4000, '1536x1024': 6000 },
      },
      sends_links: true,
    },
    { id: 'house-diffusion-2', status: 'retired', successor: 'house-diffusion-3' },
  ],
  text_models: { 'gpt-5.4-mini': { text_in: 0.75, text_out: 4.5 } },
};

const presetsExample: z.input<typeof PresetFile> = {
  presets: [
    {
      name: 'product-shot',
      description: 'A product on a plain background.',
      template: 'A photo of {{prompt}} on a {{surface}} surface, soft light, no text.',
      variables: {
        surface: { description: 'Material of the surface.', default: 'white', one_of: ['white', 'oak'] },
      },
      defaults: { size: '1024x1024', quality: 'fine' },
    },
  ],
};

/** Returns the text of docs/models.md. @throws Error if an example is invalid, or if the examples do not fit each other. */
export function modelsPage(): string {
  checkExamples();
  return `# Models and presets

Darkroom checks requests against a catalogue of models and fills presets in. Both are data, which an operator can replace:

\`\`\`sh
CATALOGUE_FILE=catalogue.json DEFAULT_MODEL=house-diffusion-3 PRESETS_FILE=presets.json darkroom serve
\`\`\`

\`serve\` reads the files at its start, and again on SIGHUP ([Operating](operating.md#models-and-presets)). A faulty file is refused as a whole: the
start ends, or the values in use stay, and the message names every fault. \`darkroom doctor\` checks the files and the variables that name
models. \`GET /models\` and \`GET /presets\` show the values in use.

This page is written by \`npm run docs\`.

## The catalogue

\`CATALOGUE_FILE\` replaces the built-in catalogue, [src/data/catalogue.json](../src/data/catalogue.json). Begin with a copy of it, or with a file for
the models of your own server:

\`\`\`json
${JSON.stringify(catalogueExample, null, 2)}
\`\`\`

${tableOf('field of the file', CatalogueFile)}

### Models

${tableOf('field of a model', CatalogueModel)}

A model needs \`prices\` for its costs to be known, and \`token_factors\` or \`output_tokens\` for its estimates. Without an estimate, requests with a
cost limit or a hard budget are refused, unless \`UNKNOWN_COST=allow\`. \`DEFAULT_MODEL\` has to name a model of the file that is not retired.

## Presets

\`PRESETS_FILE\` adds presets to the built-in ones, [src/data/presets.json](../src/data/presets.json). A preset with the name of a built-in one replaces
it.

\`\`\`json
${JSON.stringify(presetsExample, null, 2)}
\`\`\`

${tableOf('field of a preset', Preset)}

${tableOf('field of a variable', PresetVariable)}
`;
}

function checkExamples(): void {
  const catalogue = createCatalogue(CatalogueFile.parse(catalogueExample));
  const { presets } = PresetFile.parse(presetsExample);
  const faults = presetFaults(presets, catalogue, {
    defaultModel: 'house-diffusion-3',
    allowUnknownModels: false,
    nowMs: 0,
  });
  if (faults.length > 0) throw new Error(faults.join('\n'));
}

/** Returns a table of the fields of an object, with those of nested objects below their parent. */
function tableOf(title: string, schema: z.ZodObject): string {
  return [`| ${title} | default | meaning |`, '|---|---|---|', ...rowsOf(schema, '')].join('\n');
}

function rowsOf(schema: z.ZodObject, prefix: string): string[] {
  return Object.entries(schema.shape).flatMap(([key, field]) => {
    const { inner, fallback } = unwrapped(field as z.ZodType);
    const name = `${prefix}${key}`;
    const about = (field as z.ZodType).description ?? inner.description ?? valuesOf(inner);
    const row = `| \`${name}\` | ${fallback} | ${about} |`;
    return inner instanceof z.ZodObject ? [row, ...rowsOf(inner, `${name}.`)] : [row];
  });
}

/** Returns the values of an enumeration. @throws Error if a field of another kind has no description. */
function valuesOf(schema: z.ZodType): string {
  if (!(schema instanceof z.ZodEnum)) throw new Error('a field has no description');
  return `One of ${schema.options.map((value) => `\`${value}\``).join(', ')}.`;
}

/** Returns a schema without its default, and the default as text. */
function unwrapped(schema: z.ZodType): { inner: z.ZodType; fallback: string } {
  if (schema instanceof z.ZodDefault) {
    const value = JSON.stringify(schema.def.defaultValue);
    return {
      inner: unwrapped(schema.unwrap() as z.ZodType).inner,
      fallback: value.length > 10 ? 'see below' : `\`${value}\``,
    };
  }
  if (schema instanceof z.ZodOptional)
    return { ...unwrapped(schema.unwrap() as z.ZodType), fallback: 'absent' };
  if (schema instanceof z.ZodNullable) return unwrapped(schema.unwrap() as z.ZodType);
  return { inner: schema, fallback: 'required' };
}
