create table planets(name text primary key, radius_km real not null, rings integer not null);
insert into planets values
  ('Mercury', 2439.7, 0), ('Venus', 6051.8, 0), ('Earth', 6371.0, 0), ('Mars', 3389.5, 0),
  ('Jupiter', 69911.0, 1), ('Saturn', 58232.0, 1), ('Uranus', 25362.0, 1), ('Neptune', 24622.0, 1);
create table moons(name text primary key, planet text not null references planets(name), found integer);
insert into moons values
  ('Moon', 'Earth', null), ('Phobos', 'Mars', 1877), ('Deimos', 'Mars', 1877),
  ('Io', 'Jupiter', 1610), ('Europa', 'Jupiter', 1610), ('Ganymede', 'Jupiter', 1610),
  ('Callisto', 'Jupiter', 1610), ('Titan', 'Saturn', 1655), ('Rhea', 'Saturn', 1672),
  ('Titania', 'Uranus', 1787), ('Oberon', 'Uranus', 1787), ('Triton', 'Neptune', 1846);
