-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.audit_list(p_token bytea, p_before bigint) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'at', iso(a.at),
        'actor', a.actor, 'action', a.action, 'subscriber', a.subscriber_id, 'veid', a.veid,
        'detail', case a.detail when '{}' then '' else a.detail::text end,
        'hash', left(encode(a.hash, 'hex'), 12)) order by a.id desc), '[]')
    from (select * from audit where id < coalesce(p_before, 9223372036854775807)
      order by id desc limit 50) a);
end
$$;
