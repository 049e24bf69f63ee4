import { CAPTURE, CHANGES, DATABASE_MOVED_CODE, literal, MARK, OWN_PREFIX, quoted, SEAL } from '../bookkeeping.js'
import { namesOf, type Table } from '../model.js'

/** The log and the mark. Whatever writes to the tables may not be the role that transfers: nobody else needs rights. */
export const CREATE_LOG = `
  CREATE TABLE ${CHANGES} (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    table_name text NOT NULL,
    key text NOT NULL
  );
  CREATE TABLE ${MARK} (id int PRIMARY KEY, mark text NOT NULL)`

/** The triggers that write every change of a table into the log: of a row, and of its key. */
export function captureTriggers(schema: string, table: Table): string {
  const call = functionName(schema, CAPTURE, table)
  const log = `${quoted(schema)}.${CHANGES}`
  const keyOfRow = (row: 'OLD' | 'NEW') =>
    `json_build_array(${namesOf(table, table.key)
      .map((name) => `${row}.${quoted(name)}::text`)
      .join(', ')})::text`
  const write = (row: 'OLD' | 'NEW') =>
    `INSERT INTO ${log} (table_name, key) VALUES (${literal(table.name)}, ${keyOfRow(row)});`
  return `
    CREATE FUNCTION ${call}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $capture$ BEGIN
      IF TG_OP = 'TRUNCATE' THEN
        RAISE EXCEPTION 'TRUNCATE is not possible while this database is transferred';
      END IF;
      IF TG_OP <> 'INSERT' THEN ${write('OLD')} END IF;
      IF TG_OP = 'INSERT' THEN ${write('NEW')}
      ELSIF TG_OP = 'UPDATE' AND ${keyOfRow('NEW')} <> ${keyOfRow('OLD')} THEN ${write('NEW')} END IF;
      RETURN NULL;
    END $capture$;
    ${trigger(table, CAPTURE, `AFTER INSERT OR UPDATE OR DELETE`, 'ROW', call)}
    ${trigger(table, `${CAPTURE}_truncate`, 'BEFORE TRUNCATE', 'STATEMENT', call)}`
}

/** The triggers of the schema that are in force: no transfer's, and none that was switched off. */
export const FIND_TRIGGERS = `
  SELECT tgrelid::regclass::text, quote_ident(tgname) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE c.relnamespace = quote_ident(current_schema())::regnamespace AND NOT tgisinternal AND tgenabled = 'O'
    AND NOT starts_with(tgname, '${OWN_PREFIX}')`

/** The trigger that refuses every write to a table, also one that would find no row. */
export function sealTrigger(schema: string, table: Table, targetLabel: string): string {
  const call = functionName(schema, SEAL, table)
  const message = literal(`this database was moved to ${targetLabel}`)
  return `
    CREATE FUNCTION ${call}() RETURNS trigger LANGUAGE plpgsql AS $seal$ BEGIN
      RAISE EXCEPTION USING ERRCODE = '${DATABASE_MOVED_CODE}', MESSAGE = ${message};
    END $seal$;
    ${trigger(table, SEAL, 'BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE', 'STATEMENT', call)}`
}

// Always: also in a session that plays a replica, where others are silent.
function trigger(table: Table, name: string, events: string, level: 'ROW' | 'STATEMENT', call: string): string {
  const on = quoted(table.name)
  return `
    CREATE TRIGGER ${name} ${events} ON ${on} FOR EACH ${level} EXECUTE FUNCTION ${call}();
    ALTER TABLE ${on} ENABLE ALWAYS TRIGGER ${name};`
}

function functionName(schema: string, prefix: string, { name }: Table): string {
  return `${quoted(schema)}.${quoted(`${prefix}_${name}`)}`
}
