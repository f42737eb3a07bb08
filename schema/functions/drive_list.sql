-- SPDX-License-Identifier: Apache-2.0
-- The nodes that job daemons drive.
create or replace function ve.drive_list() returns jsonb
  language sql security definer stable
  set search_path = ve, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', id, 'url', url) order by id), '[]')
    from node where state <> 'revoked'
$$;
