import { useState } from 'preact/hooks';
import { newIdempotencyKey } from '../../api/idempotency-key.ts';
import { CopyButton } from '../../components/copy-button.tsx';
import { Tabs } from '../../components/segmented.tsx';
import { useText } from '../../lib/settings.ts';
import { common } from '../../strings/common.ts';
import { type ExampleLanguage, exampleLanguages, exampleOf, highlight } from './code-examples.ts';
import { texts } from './texts.ts';

const names: Readonly<Record<ExampleLanguage, string>> = {
  curl: 'curl',
  typescript: 'TypeScript',
  python: 'Python',
  json: 'JSON',
};
const colors = { keyword: 'k', string: 's', comment: 'c' } as const;

/** The request of the form as a program and as JSON. */
export function RequestCard({ body }: { body: Readonly<Record<string, unknown>> }) {
  const t = useText(texts);
  const c = useText(common);
  const [language, setLanguage] = useState<ExampleLanguage>('curl');
  const [idempotencyKey] = useState(() =>
    newIdempotencyKey().replace('console-', 'my-request-').slice(0, 19),
  );
  const shown =
    body.prompt === '' || body.prompt === undefined ? { ...body, prompt: t('example.artwork') } : body;
  const code = exampleOf(language, { origin: location.origin, body: shown, idempotencyKey });
  return (
    <section class="card" aria-labelledby="code-title">
      <div class="card-head">
        <h2 id="code-title">{t('request')}</h2>
        <Tabs
          label={t('request')}
          value={language}
          onValue={(value) => setLanguage(value as ExampleLanguage)}
          tabs={exampleLanguages.map((value) => ({ value, text: names[value] }))}
          controls="code-panel"
        />
        <CopyButton text={code} kind="quiet" className="push">
          {c('copy')}
        </CopyButton>
      </div>
      <pre class="code" id="code-panel" role="tabpanel" tabIndex={0} aria-label={names[language]}>
        {highlight(code).map(({ kind, text }, i) =>
          kind === 'plain' ? (
            text
          ) : (
            <span key={i} class={colors[kind]}>
              {text}
            </span>
          ),
        )}
      </pre>
    </section>
  );
}
