-- SPDX-License-Identifier: Apache-2.0
-- Each limit of a VE: what is used, the bound, how often something was refused,
-- and the last hour (as numbers, in words, and as points of a line, 60 wide and
-- 15 high).  The bound is where an ordinary request is refused (of memory in use,
-- where the last one is); above it, up to most, goes what is hard to refuse.  Both are
-- what the node says; before it has said so, the plan's.
create or replace function ve.usage_json(p_veid integer) returns jsonb
  language sql stable
  set search_path = ve, pg_temp
as $$
  with u as (
    select n.at, coalesce(n.usage, '{}') as usage from (select p_veid) x
      left join usage_now n on n.veid = p_veid and n.at > now() - interval '1 hour'),
  s as (
    select b.name, min(h.held) as low, max(h.held) as high, count(*) as minutes,
        jsonb_agg(h.held order by h.at) as samples,
        string_agg(format('%s,%s', round(60 - extract(epoch from now() - h.at) / 60, 1),
          round(15 - 14.0 * h.held / greatest(h.top, 1), 1)), ' ' order by h.at) as points
      from bean b, lateral (select m.at, m.held[b.position] as held, max(m.held[b.position]) over () as top
        from usage_sample m where m.veid = p_veid and m.at > now() - interval '1 hour') h
      group by b.name),
  r as (
    select b.*, (u.usage #>> array[b.name, 'held'])::bigint as held,
        (u.usage #>> array[b.name, 'maxheld'])::bigint as maxheld,
        coalesce((u.usage #>> array[b.name, 'barrier'])::bigint, l.barrier) as barrier,
        coalesce((u.usage #>> array[b.name, 'limit'])::bigint, l."limit") as bound,
        coalesce((u.usage #>> array[b.name, 'failcnt'])::bigint, 0) as failcnt
      from u, ve v, bean b
        left join ve w on w.veid = p_veid left join plan_bean l on l.plan = w.plan and l.bean = b.name
      where v.veid = p_veid)
  select jsonb_build_object('at', iso(u.at), 'counted', u.usage <> '{}',
      'net', case when u.usage ? 'net' then jsonb_build_object('sent_bytes', u.usage #> '{net,tx_bytes}',
        'received_bytes', u.usage #> '{net,rx_bytes}', 'flows_braked', u.usage #> '{net,flows_braked}') end,
      'rows', (select jsonb_agg(jsonb_build_object('name', r.name, 'title', r.title, 'unit', r.unit, 'kind', r.kind,
          'held', r.held, 'maxheld', r.maxheld, 'barrier', r.barrier, 'limit', r.bound, 'refused', r.failcnt,
          'used', amount_show(r.held, r.unit),
          'bound', amount_show(case r.kind when 'guarantee' then nullif(r.barrier, 0) when 'reclaim' then r.bound
            else r.barrier end, r.unit),
          'most', case when r.kind = 'refuse' and r.barrier < r.bound then amount_show(r.bound, r.unit) end,
          'hour', case when s.minutes > 1 then case when s.low = s.high then 'steady' else
            amount_show(s.low, r.unit) || ' to ' || amount_show(s.high, r.unit) end end,
          'samples', coalesce(s.samples, '[]'), 'points', case when s.minutes > 1 then s.points end) order by r.position)
        from r left join s on s.name = r.name),
      'refusals', (select coalesce(jsonb_agg(jsonb_build_object('at', iso(f.at), 'words', refusal_words(f)) order by f.id desc), '[]')
        from (select * from refusal where veid = p_veid order by id desc limit 10) f))
    from u
$$;
