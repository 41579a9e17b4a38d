-- SPDX-License-Identifier: MIT
-- The string library and patterns.
local s = "The quick brown fox jumps over the lazy dog"
print(#s, s:upper(), s:lower(), s:reverse(), s:len(), s:sub(5, 9), s:sub(-3))
print(s:sub(0), s:sub(2, 1), s:sub(-100, 3), s:sub(40, 100), ("").sub("x", 2))
print(s:byte(), s:byte(1, 3), s:byte(-1), ("").byte("", 1), string.char())
print(("ab"):rep(3), ("ab"):rep(3, "-"), ("x"):rep(0), ("x"):rep(-1))
print(s:find("quick"), s:find("o"), s:find("o", 15), s:find("zzz"), s:find(""))
print(s:find("", 10), s:find("", 100), s:find("%a+"), s:find("(%a+) (%a+)"))
print(s:find(".", 1, true), ("a.b"):find(".", 1, true), s:find("b.-n"))
print(s:match("(%a+) dog"), s:match("%d"), s:match("()fox()"), s:match("^The"))
print(("key = value"):match("^(%w+)%s*=%s*(%w+)$"), ("x"):match("(x)(y?)"))
print(("  trim  "):match("^%s*(.-)%s*$") .. "|",
  ("[[x]]"):match("%[%[(.-)%]%]"))
print(("f(a(b)c)d"):match("%b()"), ("THE (quick) fox"):find("%((%a+)%)"))
print(("THE (quick) fox"):gsub("%f[%a]%a+", string.lower))
print(("hello world"):gsub("o", "0"), ("hello"):gsub("", "-"))
print(("hello"):gsub("l", { l = "L" }), ("abc"):gsub("%w", "%0%0"))
print(("hello world"):gsub("(%w+) (%w+)", "%2 %1"), ("abc"):gsub("b", "%%"))
print(("abc"):gsub(".", { a = 1, b = false }), ("abc"):gsub("%w", function(c)
  if c == "b" then return nil end return c:upper() end))
print(("a,b,,c"):gsub(",", ";", 2), ("x = 1"):gsub("%s", ""))
for k, v in ("a=1, b=2, c=3"):gmatch("(%w+)=(%w+)") do io.write(k, v, ";") end
print()
for w in ("one  two"):gmatch("%a*") do io.write("<", w, ">") end print()
for p in ("abc"):gmatch("()") do io.write(p, " ") end print()
print(("x^2"):gsub("%^", "**"), ("a-b"):gsub("%-", "+"), ("$x"):gsub("^%$",
  ""))
print(("aXbXc"):find("X", 1, true), ("aaa"):find("a-", 2),
  ("aaa"):match("a-$"))
print(("0x1F"):match("^0[xX](%x+)$"), ("end"):match("[^%s]+"),
  ("]"):match("[]]"))
print(("a-z"):match("[a%-z]+"), ("^"):match("[%^]"), ("b"):match("[^a]"))
print(("abcabc"):match("(abc)%1"), ("abab"):find("(ab)%1"))
print(string.format("%s|%10s|%-10s|%.2s", "abc", "abc", "abc", "abc"))
print(string.format("%d %5d %-5d| %05d %+d % d", 1, 2, 3, 4, 5, 6))
print(string.format("%f %.2f %10.3f %e %g %g %g", 1.5, 1.005, 2.5, 1e10, 1e10,
                    1e-5, 100))
print(string.format("%x %X %#x %o %c%c", 255, 255, 255, 8, 72, 105))
print(string.format("%q", 'a "quoted"\nline\\ \0 \1 \r'))
print(string.format("%q %q %q", 10, 1 / 3, math.mininteger))
print(string.format("%s %s %s %s", nil, true, 12, 1.0))
print(string.format("%%"), string.format("%5s%%", 50), string.format("%i",
  3.0))
print(string.format("%-20s|%20s|", "left", "right"))
print(string.format("%s", setmetatable({}, { __tostring = function()
  return "custom" end })))
print(tostring(1e15), tostring(-0.0), tostring(1e100), 2^31, 1e3)
print(("a"):rep(100):len(), ("x"):rep(10, ", "))
print("a" < "b", "a" < "A", "" < "a", "a\0b" < "a\0c", "Z" < "a", "10" < "9")
print("abc" == "abc", "abc" ~= "abd", #"\u{20AC}", "\u{7FFFFFFF}" ~= nil)
local parts = {}
for i = 1, 100 do parts[#parts + 1] = "item" .. i end
local joined = table.concat(parts, ",")
local n = 0
for item in joined:gmatch("[^,]+") do n = n + #item end
print(#joined, n, joined:sub(1, 20))
local built = ""
for i = 1, 200 do built = built .. i .. "," end
print(#built, built:sub(-10))
print(("%d+"):len(), ("test123abc"):match("%a+(%d+)%a+"), ("k"):byte() + 0)
