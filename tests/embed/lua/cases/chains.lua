-- SPDX-License-Identifier: MIT
-- Long chains of operators and suffixes, which lean to the left.
local function try(text, argument)
  local f, e = load(text, "=c")
  if not f then return print(e) end
  print(pcall(f, argument))
end
local self = setmetatable({ y = "end" }, {
  __index = function(t) return t end,
  __call = function(t) return t end,
})
function self:m() return self end

local function operators(n)
  local function times(s) return s:rep(n) end
  try("return 1" .. times("+1"))
  try("local x = 1 return x" .. times("+1"))
  try("local x = 1 return x" .. times("-x*2"))
  try("local x = 1 x = x" .. times("+x") .. " return x")
  try("local x = 3 x = x" .. times("//1 | 2 ~ 3 & 4") .. " return x")
  try("global = 2 return global" .. times(" + global * 2 - (global + 1)"))
  try("return (...)" .. times(" and 1"), 5)
  try("return (...)" .. times(" or false"))
  try("return (...)" .. times(" and 1 or false"), 5)
  try("local x = (...)" .. times(" and 1 or false") .. " return x", 1)
  try("if (...)" .. times(" or false") .. " then return 1 end return 2")
  try("if not ((...)" .. times(" and 1") .. ") then return 1 end return 2")
  try("while not ((...)" .. times(" and false") .. ") do return 3 end", 1)
  try("return 2" .. times(" == true"))
  try("local x = 2 x = x" .. times(" == x ~= 1") .. " return x")
  try("return 2" .. times(" < 3 == true"))
  try("if 5 > 4" .. times(" == true") .. " then return 'yes' end")
end
local function suffixes(n)
  local function times(s) return s:rep(n) end
  try("local t = ... return t" .. times(".x") .. ".y", self)
  try("local t = ... return t" .. times("()") .. ".y", self)
  try("local t = ... return t" .. times(":m()") .. ".y", self)
  try("local t = ... return t" .. times("[1]") .. ".y", self)
  try("local t = ... t" .. times(".x") .. ".z = 5 return t.z", self)
end
for _, n in ipairs { 1, 2, 150, 700, 8000 } do operators(n) end
for _, n in ipairs { 1, 150, 1000 } do suffixes(n) end
coroutine.wrap(function()
  operators(8000)
  suffixes(150)
end)()
