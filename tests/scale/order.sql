-- SPDX-License-Identifier: Apache-2.0
-- How many were served out of the line, and how many of these out of turn: before somebody of their own network who
-- came first, or before a network that waited and was served longer ago.  Who came within the last two seconds may
-- not have been seen yet.
with joined as (
  select a.id, a.at, a.subscriber_id as who, ve.network_of(s.created_from) as net
    from ve.audit a join ve.subscriber s on s.id = a.subscriber_id
    where a.action = 'queue.join' or (a.action = 'account.signup' and a.veid is null)),
served as (
  select a.id, a.at, a.subscriber_id as who, ve.network_of(s.created_from) as net
    from ve.audit a join ve.subscriber s on s.id = a.subscriber_id where a.action = 've.create' and a.actor = 'line'),
visit as (
  select j.*, (select min(s.id) from served s where s.who = j.who and s.id > j.id) as until from joined j),
turn as (
  select s.*, v.id as came, (select max(o.id) from served o where o.net = s.net and o.id < s.id) as before
    from served s, lateral (select max(v.id) as id from joined v where v.who = s.who and v.id < s.id) v)
select count(*), count(*) filter (where exists (select from visit w
    where w.who <> t.who and w.id < t.id and w.at < t.at - interval '2 seconds' and (w.until is null or w.until > t.id)
      and case when w.net = t.net then w.id < t.came
        else coalesce((select max(o.id) from served o where o.net = w.net and o.id < t.id), 0) < t.before end))
  from turn t
