import { Button } from '../../components/button.tsx';
import { SelectField, TextField } from '../../components/field.tsx';
import { useText } from '../../lib/settings.ts';
import { keys } from '../../strings/keys.ts';
import { type BudgetDraft, type FieldsProps, offeredWindows, type Window } from './key-draft.ts';

/** The budgets of a key, each with an amount and a period. */
export function BudgetFields({ draft, change, wrong }: FieldsProps) {
  const t = useText(keys);
  const { budgets } = draft;
  const set = (at: number, changes: Partial<BudgetDraft>) =>
    change({ budgets: budgets.map((each, i) => (i === at ? { ...each, ...changes } : each)) });
  const free = offeredWindows.find((window) => budgets.every((each) => each.window !== window));
  return (
    <fieldset class="stack stack-sm contents">
      {budgets.map((budget, i) => (
        <BudgetField
          key={`${i}-${budgets.length}`}
          budget={budget}
          isWrong={wrong.has(`budget${i}`)}
          onChange={(changes) => set(i, changes)}
          onRemove={() => change({ budgets: budgets.filter((_, other) => other !== i) })}
        />
      ))}
      {free ? (
        <div class="row">
          <Button
            size="sm"
            icon="plus"
            onClick={() => change({ budgets: [...budgets, { window: free, dollars: '', soft: false }] })}
          >
            {t('form.addBudget')}
          </Button>
        </div>
      ) : null}
    </fieldset>
  );
}

interface BudgetProps {
  readonly budget: BudgetDraft;
  readonly isWrong: boolean;
  readonly onChange: (changes: Partial<BudgetDraft>) => void;
  readonly onRemove: () => void;
}

function BudgetField({ budget, isWrong, onChange, onRemove }: BudgetProps) {
  const t = useText(keys);
  return (
    <div class="stack stack-sm">
      <div class="field-pair">
        <TextField
          label={t('form.budget')}
          isNumber
          value={budget.dollars}
          onValue={(dollars) => onChange({ dollars })}
          error={isWrong ? t('wrong.amount') : undefined}
          input={{ inputMode: 'decimal', placeholder: '20.00' }}
        />
        <SelectField
          label={t('form.window')}
          value={budget.window}
          onValue={(window) => onChange({ window: window as Window })}
          options={offeredWindows.map((value) => ({ value, text: t(`window.${value}`) }))}
        />
      </div>
      <div class="row row-between">
        <label class="row">
          <input
            type="checkbox"
            checked={budget.soft}
            onChange={(event) => onChange({ soft: event.currentTarget.checked })}
          />
          {t('form.soft')}
        </label>
        <Button kind="quiet" size="sm" icon="close" label={t('form.removeBudget')} onClick={onRemove} />
      </div>
    </div>
  );
}
