-- SPDX-License-Identifier: Apache-2.0
-- A person's place in the line; null for who is in none, which most are: the line
-- is put in order for the others only.
create or replace function ve.queue_json(p_subscriber bigint) returns jsonb
  language sql stable
  set search_path = ve, pg_temp
as $$
  select case when exists (select from queue where subscriber_id = p_subscriber)
    then nullif(line_look(array[p_subscriber]) -> p_subscriber::text, 'null') end
$$;
