import { PresetFile } from '../../domain/preset.ts';
import { readOperatorFile } from '../../lib/data-files.ts';
import { defineVariable, readBy, text } from '../../lib/variable.ts';

const section = 'Prompts';

/** Variables of prompt expansion and presets. */
export const prompts = {
  ENHANCE_MODEL: defineVariable({
    section,
    schema: text,
    fallback: 'gpt-5.4-mini',
    about: 'Language model that expands short prompts.',
  }),
  PRESETS_FILE: defineVariable({
    section,
    schema: readBy((path) => readOperatorFile(path, PresetFile)),
    about:
      'Additional presets. A preset with the name of a built-in one replaces it. `serve` reads them again on SIGHUP.',
  }),
};
