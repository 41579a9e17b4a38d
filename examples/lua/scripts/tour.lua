-- SPDX-License-Identifier: MIT
-- tour.lua [SCALE]: the main job of `./dev run`. Parallel tasks build and check
-- binary trees while this state keeps a large graph alive, rewires it and
-- churns through strings and tables. At the end every node of the graph is
-- verified: each carries a checksum of its identity and remembers whom it was
-- linked to, so a lost, reused or overwritten object shows. Damage is reported
-- and ends the script with exit code 1. SCALE (default 1) multiplies the work.
--
-- `task` and collectgarbage("stats") are tlua's own. Under a plain Lua the tree
-- jobs run one after the other and the summary is left out.
--
-- Environment: TLUA_TOUR_PLANT=1 overwrites one node before the verification,
-- which must then fail: the proof that the check can fire.

local scale = tonumber(arg[1]) or 1
local kNodes = 50000
local kModulus = 2147483647

local function scaled(work) return math.max(1, math.floor(work * scale)) end

-- Trees, in parallel ---------------------------------------------------------

-- One job: `trees` trees of `depth`, counted and dropped, beside a long-lived
-- one. Runs in a state of its own, so it has no upvalues and no globals.
-- Returns the nodes counted, or -1 if a count is wrong.
local function tree_job(depth, trees)
  local build, count
  function build(d)
    if d == 0 then return {} end
    return { left = build(d - 1), right = build(d - 1) }
  end
  function count(tree)
    if not tree.left then return 1 end
    return 1 + count(tree.left) + count(tree.right)
  end
  local expected = 2 ^ (depth + 1) - 1
  local long_lived = build(depth)
  local total = 0
  for _ = 1, trees do
    local nodes = count(build(depth))
    if nodes ~= expected then return -1 end
    total = total + nodes
  end
  if count(long_lived) ~= expected then return -1 end
  return total
end

-- Starts the jobs and returns a function that waits for job `i`'s result.
local function start_tree_jobs(jobs)
  local running = {}
  for i, job in ipairs(jobs) do
    running[i] = task and task.spawn(tree_job, job.depth, job.trees)
  end
  return function(i)
    if task then return running[i]:join() end
    return tree_job(jobs[i].depth, jobs[i].trees)
  end
end

-- The live graph -------------------------------------------------------------

local seed = 20240601
local function random(limit)
  seed = seed * 16807 % kModulus
  return seed % limit + 1
end

local function checksum(id, version)
  return (id * 7919 + version * 104729 + 13) % kModulus
end

local function make_node(id, version)
  return {
    id = id,
    version = version,
    sum = checksum(id, version),
    name = string.format("node-%d-%d", id, version),
    links = {},
    linked_to = {},
  }
end

-- Points link `slot` of `node` at `target` and remembers who that was.
local function link(node, slot, target)
  node.links[slot] = target
  node.linked_to[slot] = target.id
end

local function make_graph()
  local graph = {}
  for id = 1, kNodes do graph[id] = make_node(id, 0) end
  for id = 1, kNodes do
    for slot = 1, 3 do link(graph[id], slot, graph[random(kNodes)]) end
  end
  return graph
end

-- Puts a new node in the place of `id`; older ones live on while linked.
local function replace(graph, id)
  local old = graph[id]
  local node = make_node(id, old.version + 1)
  for slot = 1, 3 do link(node, slot, old.links[slot]) end
  graph[id] = node
end

local function rewire(graph, times)
  for _ = 1, times do
    local node = graph[random(kNodes)]
    link(node, random(3), graph[random(kNodes)])
    if random(4) == 1 then replace(graph, random(kNodes)) end
  end
end

-- What is wrong with `node`, or nil.
local function damage_of(node, id)
  if type(node) ~= "table" then return "is a " .. type(node) end
  if node.id ~= id then return "carries id " .. tostring(node.id) end
  if node.sum ~= checksum(node.id, node.version) then
    return "has a wrong checksum"
  end
  if node.name ~= string.format("node-%d-%d", node.id, node.version) then
    return "has the name " .. tostring(node.name)
  end
  return nil
end

-- Returns the number of nodes and links checked, or nil and what is damaged.
local function verify(graph)
  local checked = 0
  for id = 1, kNodes do
    local node = graph[id]
    local damage = damage_of(node, id)
    if damage then return nil, string.format("node %d %s", id, damage) end
    for slot = 1, 3 do
      damage = damage_of(node.links[slot], node.linked_to[slot])
      if damage then
        return nil, string.format("link %d of node %d %s", slot, id, damage)
      end
    end
    checked = checked + 4
  end
  return checked
end

-- Churn ----------------------------------------------------------------------

-- Strings that live for a moment: built, joined, searched, replaced.
local function churn_strings(times)
  local total = 0
  for i = 1, times do
    local pieces = {}
    for j = 1, 12 do pieces[j] = string.format("%d:%s", i * j, "ab") end
    local text = table.concat(pieces, ";")
    local digits = 0
    for number in string.gmatch(text, "%d+") do digits = digits + #number end
    local swapped = string.gsub(text, "(%d+):(%a+)", "%2=%1")
    total = (total * 31 + digits + #swapped) % kModulus
  end
  return total
end

-- Tables that grow through several sizes of their array and hash parts.
local function churn_tables(times)
  local total = 0
  for i = 1, times do
    local list, index = {}, {}
    for j = 1, 40 do
      list[j] = (i * j) % 97
      index["k" .. j % 20] = j
    end
    table.sort(list)
    for j = 1, 40, 3 do list[j] = nil end
    total = (total * 31 + list[2] + index.k7 + index.k19) % kModulus
  end
  return total
end

-- The summary ----------------------------------------------------------------

local function print_summary(stats)
  local mib = 1024 * 1024
  print(string.format("cycles %d, live heap %.1f MiB, allocated %.1f MiB, "
                      .. "GC CPU share %.1f %%",
                      stats.cycles, stats.heap_live / mib,
                      stats.bytes_allocated / mib, stats.gc_cpu_share * 100))
  print(string.format("pause p50 %.1f us, p99 %.1f us, max %.1f us",
                      stats.pause_p50_us, stats.pause_p99_us,
                      stats.pause_max_us))
  print(string.format("time to safepoint p99 %.1f us, max %.1f us",
                      stats.ttsp_p99_us, stats.ttsp_max_us))
end

local function fail(message)
  print("tour: " .. message)
  os.exit(1)
end

local function main()
  local jobs = {
    { depth = 6, trees = scaled(6400) },
    { depth = 10, trees = scaled(400) },
    { depth = 12, trees = scaled(100) },
    { depth = 14, trees = scaled(25) },
  }
  local wait_for = start_tree_jobs(jobs)

  local graph = make_graph()
  local strings, tables = 0, 0
  for _ = 1, 10 do
    rewire(graph, scaled(20000))
    strings = (strings + churn_strings(scaled(1200))) % kModulus
    tables = (tables + churn_tables(scaled(1000))) % kModulus
  end

  for i, job in ipairs(jobs) do
    local nodes = wait_for(i)
    if nodes < 0 then
      fail(string.format("a tree of depth %d lost nodes", job.depth))
    end
    print(string.format("trees of depth %d: %d built, %d nodes", job.depth,
                        job.trees, nodes))
  end
  print(string.format("churn: strings %d, tables %d", strings, tables))

  if os.getenv("TLUA_TOUR_PLANT") == "1" then
    graph[kNodes / 2].sum = 0
  end
  local checked, damage = verify(graph)
  if not checked then fail(damage) end
  print(string.format("live graph: %d nodes and links intact", checked))

  if task then print_summary(collectgarbage("stats")) end
end

main()
