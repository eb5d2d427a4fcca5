interface Props {
  readonly label: string;
  readonly spent: number;
  readonly held: number;
  readonly limit: number;
}

/** A bar of a budget: spent is solid, held is hatched, exhausted is red. */
export function BudgetBar({ label, spent, held, limit }: Props) {
  const share = (amount: number) => `${limit > 0 ? Math.min(100, (amount / limit) * 100) : 100}%`;
  const isExhausted = spent + held >= limit;
  return (
    <svg class="meter" role="img" aria-label={label}>
      <rect class={isExhausted ? 'meter-over' : 'meter-spent'} width={share(spent)} height="100%" />
      <rect class="meter-held" x={share(spent)} width={share(held)} height="100%" />
    </svg>
  );
}

/** Patterns for hatched bars. The page has them once. */
export function Patterns() {
  const pattern = {
    width: 5,
    height: 5,
    patternUnits: 'userSpaceOnUse',
    patternTransform: 'rotate(45)',
  } as const;
  return (
    <svg class="visually-hidden" aria-hidden="true">
      <defs>
        <pattern id="hatch" {...pattern}>
          <path class="hatch-line" d="M0 0v5" />
        </pattern>
        <pattern id="hatch-warning" {...pattern}>
          <rect class="hatch-warning-base" width="5" height="5" />
          <path class="hatch-warning-line" d="M0 0v5" />
        </pattern>
      </defs>
    </svg>
  );
}
