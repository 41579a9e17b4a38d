-- SPDX-License-Identifier: MIT
-- Tables: both parts, borders, traversal with removal, the table library.
local function keys(t)
  local out = {}
  for k, v in pairs(t) do out[#out + 1] = tostring(k) .. "=" .. tostring(v) end
  table.sort(out)
  return table.concat(out, " ")
end
local t = {}
for i = 1, 100 do t[i] = i end
for i = 100, 51, -1 do t[i] = nil end
print(#t)
for i = 1, 20 do table.insert(t, 1, -i) end
print(#t, t[1], t[20], t[21], t[70])
for i = 1, 30 do table.remove(t, 1) end
print(#t, t[1], table.remove(t), #t, table.remove({}), table.remove({}, 0))
local r = {}
for i = 20, 1, -1 do r[i] = i * i end
print(#r, table.concat(r, ","))
local h = { [1] = "a", [2] = "b", [4] = "d", x = 1, [1.5] = "f", [true] = "t" }
print(keys(h), h[1.0], h[2.0], rawlen({ 1, 2 }), h[true], h[3])
h[2^53] = "big"; print(h[2^53], h[9007199254740992], keys(h))
local removed = {}
for i = 1, 50 do removed["k" .. i] = i; removed[i] = -i end
local seen = 0
for k in pairs(removed) do removed[k] = nil; seen = seen + 1 end
print(seen, next(removed), #removed)
for k, v in pairs { 10, 20, nil, 40 } do io.write(k, ":", v, " ") end print()
for i, v in ipairs { 1, 2, nil, 4 } do io.write(i, " ") end print()
local proxy = setmetatable({}, { __index = function(_, i)
  if i <= 3 then return i * 2 end end })
for i, v in ipairs(proxy) do io.write(i, "=", v, " ") end print()
print(next({}), next({ 5 }), type(next), rawequal(t, t), rawget(proxy, 1))
print(table.unpack({ 1, 2, 3 }, 2), table.unpack({ 1, 2 }, 1, 3))
local packed = table.pack(nil, 2, nil)
print(packed.n, #packed >= 0, packed[2])
print(table.concat(table.move({ 1, 2, 3, 4, 5 }, 2, 4, 1), ","),
      table.concat(table.move({ 1, 2, 3 }, 1, 3, 3), ","),
      table.concat(table.move({ 1, 2 }, 1, 2, 2, { 9 }), ","))
local words = { "pear", "fig", "apple", "Date", "cherry" }
table.sort(words) print(table.concat(words, " "))
table.sort(words, function(a, b) return a:lower() > b:lower() end)
print(table.concat(words, " "))
local nums = {}
local seed = 7
for i = 1, 1000 do seed = seed * 16807 % 2147483647; nums[i] = seed % 500 end
table.sort(nums)
local ok = true
for i = 2, #nums do ok = ok and nums[i - 1] <= nums[i] end
table.sort(nums, function(a, b) return a > b end)
for i = 2, #nums do ok = ok and nums[i - 1] >= nums[i] end
print(ok, nums[1], nums[1000])
for _, n in ipairs { 0, 1, 2, 3, 12, 13, 100 } do
  local l = {}
  for i = 1, n do l[i] = (i * 7919) % 31 end
  table.sort(l)
  local good = true
  for i = 2, n do good = good and l[i - 1] <= l[i] end
  io.write(n, ":", tostring(good), " ")
end
print()
local mt = setmetatable({}, { __len = function() return 3 end,
  __index = function(_, i) return i * 11 end })
print(#mt, table.concat(mt, ","), table.unpack(mt))
local log = {}
local w = setmetatable({}, { __newindex = function(t, k, v)
  log[#log + 1] = k; rawset(t, k, v) end })
table.insert(w, "x"); table.insert(w, "y"); w.z = 1; w.z = 2
print(table.concat(log, ","), w[1], w[2], w.z)
local big = {}
for i = 1, 5000 do big["key" .. i] = i end
for i = 1, 5000, 2 do big["key" .. i] = nil end
local count, sum = 0, 0
for k, v in pairs(big) do count = count + 1; sum = sum + v end
print(count, sum, big.key2, big.key3)
local ints = {}
for i = -50, 50 do ints[i * 3] = i end
count, sum = 0, 0
for k, v in pairs(ints) do count = count + 1; sum = sum + k * v end
print(count, sum, ints[-150], ints[150], ints[151])
print(pcall(next, {}, "nope"), pcall(rawset, {}, nil, 1))
local sparse = {}
sparse[1000000] = 1; sparse[1] = 2; sparse[2] = 3
print(#sparse, sparse[1000000])
print(#{ nil }, #{ nil, nil, 3 }, #{ 1, nil }, #{ n = 1, 1 })
