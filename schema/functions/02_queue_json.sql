-- SPDX-License-Identifier: Apache-2.0
-- A person's place in the line; null for who is in none.
create or replace function ve.queue_json(p_subscriber bigint) returns jsonb
  language sql stable
  set search_path = ve, pg_temp
as $$
  select nullif(line_look(array[p_subscriber]) -> p_subscriber::text, 'null')
$$;
