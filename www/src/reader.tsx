import type { Reader } from './protocol';

const CHOICES: Record<keyof Reader, Record<string, string>> = {
  role: { contractor: 'Contractor', employee: 'Employee', manager: 'Manager', hr: 'HR', finance: 'Finance', security: 'Security' },
  region: { EU: 'EU', US: 'US', APAC: 'APAC' },
  department: { engineering: 'Engineering', sales: 'Sales', finance: 'Finance', people: 'People', it: 'IT', legal: 'Legal', security: 'Security' },
};

/** Who asks: what may be seen, and how an answer is formatted, follow from it. */
export function ReaderPicker(props: { reader: Reader; onChange: (reader: Reader) => void }) {
  return (
    <fieldset class="reader">
      <legend class="visually-hidden">Who asks</legend>
      {(Object.keys(CHOICES) as (keyof Reader)[]).map((key) => (
        <label key={key}>
          {key[0]!.toUpperCase() + key.slice(1)}
          <select name={key} value={props.reader[key]} onChange={(event) => props.onChange({ ...props.reader, [key]: event.currentTarget.value })}>
            {Object.entries(CHOICES[key]).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </label>
      ))}
    </fieldset>
  );
}
