/** Reports on tables: the study's `ReportGenerator`. */
import { Module } from '../module.js';
import { chainOfThought, predict } from '../predict.js';
import type { ServiceCallOptions } from './module.js';
import type { SqlColumn, Warehouse } from './sql.js';

/** What a report is written from, under the study's names. */
export interface ReportData {
  /** The columns with their types. */
  readonly schema: string;
  /** Some rows, as JSON. */
  readonly sample_points: string;
  /** Numbers over all rows, as JSON: how many there are, and of each column the smallest, the largest, the mean, the distinct ones. */
  readonly summary_stats: string;
}

/** What a report consists of. */
export interface Report {
  readonly report_content: string;
  readonly analysis_plan: string;
  /** Specifications of charts. */
  readonly charts: string;
}

/**
 * Plans an analysis, specifies charts and writes the report: three calls of the model.
 *
 * ```ts
 * const data = await reportData(new Warehouse(workspace), 'main.sales.orders');
 * const { report_content } = await new ReportGenerator().run({ data, requirements: 'Revenue by region, for the board' });
 * ```
 */
export class ReportGenerator extends Module<{ data: ReportData; requirements: string }, Report> {
  data_analyzer = chainOfThought('data_schema, requirements -> analysis_plan', { instructions: 'Analyze data and create analysis plan.' });
  chart_generator = predict('analysis, data_points -> chart_specifications', { instructions: 'Generate chart specifications for data visualization.' });
  report_writer = predict('analysis, charts, summary -> report_content', { instructions: 'Write comprehensive report with analysis and visualizations.' });

  async forward({ data, requirements }: { data: ReportData; requirements: string }): Promise<Report> {
    const { analysis_plan } = await this.data_analyzer.run({ data_schema: data.schema, requirements });
    const { chart_specifications: charts } = await this.chart_generator.run({ analysis: analysis_plan, data_points: data.sample_points });
    const { report_content } = await this.report_writer.run({ analysis: analysis_plan, charts, summary: data.summary_stats });
    return { report_content, analysis_plan, charts };
  }
}

/**
 * Reads what a report is written from: two statements, whatever the size of the table.
 *
 * @param table its full name; parts that hold a dot stand in backticks.
 * @param options `samples`: how many rows the model is shown; 20 unless given.
 * @throws `LakeletError` with the engine's message when the table cannot be read.
 */
export async function reportData(warehouse: Warehouse, table: string, options: { readonly samples?: number } & ServiceCallOptions = {}): Promise<ReportData> {
  const { samples = 20, ...call } = options;
  const name = (table.match(/`(?:[^`]|``)+`|[^.]+/g) ?? []).map((part) => (part.startsWith('`') ? part : quoted(part))).join('.');
  const { columns, records } = await warehouse.execute(`SELECT * FROM ${name} LIMIT ${Math.trunc(samples)}`, call);
  const stats = await warehouse.execute(`SELECT ${['count(*)', ...columns.flatMap(measures)].join(', ')} FROM ${name}`, call);
  const [count, ...values] = stats.rows[0] ?? [];
  const summary: Record<string, Record<string, string | null>> = {};
  for (const column of columns) summary[column.name] = Object.fromEntries(kinds(column).map((kind) => [kind, values.shift() ?? null]));
  return {
    schema: columns.map(({ name, type_text }) => `${name} ${type_text}`).join(', '),
    sample_points: JSON.stringify(records),
    summary_stats: JSON.stringify({ rows: Number(count), columns: summary }),
  };
}

const NUMBERS = /^(BYTE|SHORT|INT|LONG|FLOAT|DOUBLE|DECIMAL)$/;
const ORDERED = /^(STRING|DATE|TIMESTAMP|TIMESTAMP_NTZ)$/;

/** What is measured of a column, by its type. */
function kinds({ type_name }: SqlColumn): ('min' | 'max' | 'avg' | 'distinct')[] {
  if (NUMBERS.test(type_name)) return ['min', 'max', 'avg'];
  return ORDERED.test(type_name) ? ['min', 'max', 'distinct'] : [];
}

function measures(column: SqlColumn): string[] {
  const name = quoted(column.name);
  return kinds(column).map((kind) => (kind === 'distinct' ? `count(DISTINCT ${name})` : `${kind}(${name})`));
}

const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``;
