import { Note } from '../../components/note.tsx';
import { Page } from '../../components/page.tsx';
import { useSession } from '../../lib/context.ts';
import { useText } from '../../lib/settings.ts';
import { keys } from '../../strings/keys.ts';
import { BudgetList } from './budgets.tsx';
import { AllowedFacts, LimitFacts } from './key-facts.tsx';

/** The key of the session, for users without the scope `admin`. */
export function OwnKey() {
  const t = useText(keys);
  const { self } = useSession();
  return (
    <Page title={t('title')}>
      <Note icon="info">{t('own.text')}</Note>
      <section class="card" aria-labelledby="own-key">
        <div class="card-head">
          <h2 id="own-key">{t('own.title')}</h2>
          <span class="faint mono push">{self.id}</span>
        </div>
        <div class="card-body stack stack-lg">
          <BudgetList spending={self.budgets} />
          <LimitFacts limits={self.limits} />
          <AllowedFacts {...self} />
        </div>
      </section>
    </Page>
  );
}
