-- SPDX-License-Identifier: Apache-2.0
-- Gives free places to those whose turn it is.  One runs at a time, so that the
-- line is served in its order.  Who cannot be served by now (the template is
-- gone, or there is an environment already) is told and leaves it.  While every
-- place is taken the line is not touched.  Returns how many were served.
create or replace function ve.queue_run() returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  o record;
  v integer;
  n integer := 0;
  said jsonb := '[]';
begin
  if not exists (select from queue) or not pg_try_advisory_xact_lock(7383142, 1) then
    return to_jsonb(n);
  end if;
  loop
    select q.*, s.email into o from queue_order q join subscriber s on s.id = q.subscriber_id
      where q.place = 1;
    exit when not found;
    begin
      v := ve_place(o.subscriber_id, o.template, o.network);
      delete from queue where id = o.id;
      if not found then
        raise exception using errcode = 'VE014';
      end if;
    exception
      when sqlstate 'VE002' then
        exit;
      when sqlstate 'VE007' or sqlstate 'VE014' then
        continue; -- suspended this moment, and passed over from now on; or has left
      when sqlstate 'VE004' or sqlstate 'VE009' then
        delete from queue where id = o.id;
        continue when not found;
        insert into mail (recipient, subject, body) values (o.email, 'You are no longer in the line',
          format(E'Hello,\n\nit was your turn, but %s. Log in to see what you have, or to choose anew.\n', sqlerrm));
        said := said || jsonb_build_object('what', 'queue.drop', 'who', o.subscriber_id,
          'detail', jsonb_build_object('template', o.template, 'why', sqlerrm));
        continue;
    end;
    n := n + 1;
    insert into queue_turn values (o.network, nextval('queue_served_seq'))
      on conflict on constraint queue_turn_pkey do update set served = excluded.served;
    insert into queue_pace (seconds) values (extract(epoch from now() - o.since))
      on conflict on constraint queue_pace_pkey do update set last_at = now(),
        seconds = queue_pace.seconds * 0.8 + 0.2 * extract(epoch from
          now() - greatest(queue_pace.last_at, o.since));
    insert into mail (recipient, subject, body) values (o.email, 'Your environment is ready',
      format(E'Hello,\n\nit was your turn: environment #%s is ready. Log in to use it.\n', v));
    said := said || jsonb_build_object('what', 've.create', 'who', o.subscriber_id, 'veid', v,
      'detail', jsonb_build_object('template', o.template, 'waited', extract(epoch from now() - o.since)::integer));
  end loop;
  -- last: who holds a person or a place in the line may wait for the log
  perform audit_add('line', i ->> 'what', (i ->> 'who')::bigint, (i ->> 'veid')::integer, i -> 'detail')
    from jsonb_array_elements(said) i;
  return to_jsonb(n);
end
$$;
