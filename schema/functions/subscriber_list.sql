-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.subscriber_list(p_token bytea, p_before bigint) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  perform session_require(p_token, true);
  return (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'email', p.email,
        'role', p.role, 'operator', p.role = 'operator',
        'confirmed', p.confirmed_at is not null, 'suspended', p.suspended_at is not null, 'suspended_why', p.suspended_why,
        'created_at', iso(p.created_at),
        'veid', (select v.veid from ve v where v.subscriber_id = p.id and v.deleted_at is null),
        'sessions', (select count(*) from session s where s.subscriber_id = p.id
          and s.ended_at is null and s.expires_at > now())) order by p.id desc), '[]')
    from (select * from subscriber where id < coalesce(p_before, 9223372036854775807)
      order by id desc limit 50) p);
end
$$;
