-- SPDX-License-Identifier: Apache-2.0
-- All VEs, newest first, a page at a time: those below p_before.
create or replace function ve.ve_list(p_token bytea, p_before integer) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(ve_json(v) || jsonb_build_object('email', p.email,
        'subscriber', p.id, 'plans', (select jsonb_agg(jsonb_build_object('name', l.name, 'title', l.title,
          'chosen', l.name = v.plan) order by l.memory_bytes, l.name) from plan l)) order by v.veid desc), '[]')
    from (select * from ve where deleted_at is null and veid < coalesce(p_before, 2147483647)
      order by veid desc limit 50) v join subscriber p on p.id = v.subscriber_id);
end
$$;
