-- SPDX-License-Identifier: Apache-2.0
-- A subscriber's page: the person, the VE, the keys, what happened lately.
create or replace function ve.home_get(p_token bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
begin
  select * into who from session_require(p_token);
  return jsonb_build_object('email', who.email, 'operator', who.operator,
    'unconfirmed', (select jsonb_build_object('memory_bytes', p.memory_bytes, 'disk_bytes', p.disk_bytes,
        'days', extract(day from p.life), 'bounced', (select m.error from mail m
          where m.confirms = s.id and m.failed_at is not null and not exists (select from mail o
            where o.confirms = s.id and o.id > m.id) limit 1))
      from subscriber s, plan p where s.id = who.subscriber_id and s.confirmed_at is null
        and p.name = 'confirmed'),
    've', (select ve_json(v) from ve v
      where v.subscriber_id = who.subscriber_id and v.deleted_at is null),
    'queue', queue_json(who.subscriber_id),
    'keys', (select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'kind', k.kind,
        'fingerprint', k.fingerprint, 'comment', k.comment,
        'created_at', iso(k.created_at), 'used_at', iso(k.used_at)) order by k.id), '[]')
      from ssh_key k where k.subscriber_id = who.subscriber_id),
    'events', (select coalesce(jsonb_agg(e.row order by e.at desc), '[]') from (
      (select a.at, jsonb_build_object('at', iso(a.at), 'action', translate(a.action, '._', '  '),
          'actor', case when a.actor = who.email then 'you' else a.actor end) as row
        from audit a where a.subscriber_id = who.subscriber_id
        order by a.id desc limit 8)
      union all
      (select r.at, jsonb_build_object('at', iso(r.at), 'action', refusal_words(r), 'actor', 'its plan')
        from refusal r join ve v on v.veid = r.veid
        where v.subscriber_id = who.subscriber_id and v.deleted_at is null order by r.id desc limit 8)
      order by at desc limit 10) e));
end
$$;
