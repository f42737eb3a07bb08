-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.template_list() returns jsonb
  language sql security definer stable
  set search_path = ve, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object('name', name, 'title', title,
      'summary', summary, 'first', position = 1) order by position), '[]')
    from template where enabled
$$;
