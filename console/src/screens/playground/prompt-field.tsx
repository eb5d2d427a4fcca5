import { useState } from 'preact/hooks';
import type { Preset } from '../../api/types.ts';
import { Button } from '../../components/button.tsx';
import { Field } from '../../components/field.tsx';
import { useText } from '../../lib/settings.ts';
import { EnhanceDialog } from './enhance-dialog.tsx';
import { requestOf } from './form.ts';
import type { FormProps } from './form-props.ts';
import { texts } from './texts.ts';
import { useEnhancement } from './use-enhancement.ts';

const maxPrompt = 32_000;

/** The prompt, with the preview of its enhancement. */
export function PromptField({
  form,
  change,
  model,
  errors,
  preset,
}: FormProps & { preset: Preset | undefined }) {
  const t = useText(texts);
  const [isOpen, setOpen] = useState(false);
  const body = JSON.stringify({ prompt: form.prompt, preset: preset ? requestOf(form).preset : undefined });
  const enhancing = useEnhancement(body);
  const max = model?.max_prompt ?? maxPrompt;
  return (
    <Field
      label={t('prompt')}
      note={t('prompt.length', { count: [...form.prompt].length, max })}
      error={errors.get('/prompt')}
      below={
        <div class="row row-between">
          <Button
            kind="quiet"
            size="sm"
            icon="enhance"
            isDisabled={form.prompt.trim() === ''}
            onClick={() => setOpen(true)}
          >
            {t('enhance.preview')}
          </Button>
          {isOpen ? (
            <EnhanceDialog
              prompt={form.prompt}
              body={body}
              enhancing={enhancing}
              onUse={(prompt) => change({ prompt, enhance: 'off' })}
              onClose={() => setOpen(false)}
            />
          ) : null}
        </div>
      }
    >
      {(attributes) => (
        <textarea
          class="textarea"
          dir="auto"
          rows={3}
          {...attributes}
          value={form.prompt}
          placeholder={t('prompt.placeholder')}
          onInput={(event) => change({ prompt: event.currentTarget.value })}
        />
      )}
    </Field>
  );
}
