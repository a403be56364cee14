/** Texts on which our token ids are compared with llama.cpp's: scripts, emoji, code, whitespace, numbers, control characters, long runs. */

const scripts = `The quick brown fox jumps over the lazy dog.
Voix ambiguë d'un cœur qui préfère les jattes de kiwi au zéphyr.
Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.
El pingüino Wenceslao hizo kilómetros bajo exhaustiva lluvia; ¿y tú? ¡Añoraba!
Pchnąć w tę łódź jeża lub ośm skrzyń fig.
Příliš žluťoučký kůň úpěl ďábelské ódy.
Pijamalı hasta yağız şoföre çabucak güvendi. İstanbul, ısı, Iğdır.
Trăm năm trong cõi người ta, chữ tài chữ mệnh khéo là ghét nhau.
Kæmi ný öxi hér, ykist þjófum nú bæði víl og ádrepa.
Árvíztűrő tükörfúrógép.
Съешь же ещё этих мягких французских булок, да выпей чаю.
Жебракують філософи при ґанку церкви в Гадячі, ще й шатро їхнє п'яне знаємо.
Ξεσκεπάζω την ψυχοφθόρα βδελυγμία.
נראה כמו טקסט בעברית עם ניקוד: שָׁלוֹם עוֹלָם
نص حكيم له سر قاطع وذو شأن عظيم مكتوب على ثوب أخضر ومغلف بجلد أزرق.
اُردو ایک خوبصورت زبان ہے، ۱۲۳۴۵۶
متن فارسی با نیم‌فاصله می‌شود نوشت؛ ۰۱۲۳
ऋषियों को सताने वाले दुष्ट राक्षसों के राजा रावण का सर्वनाश करने वाले विष्णुवतार भगवान श्रीराम।
আমার সোনার বাংলা, আমি তোমায় ভালোবাসি। ১২৩
ਸਤਿ ਸ੍ਰੀ ਅਕਾਲ ਦੁਨੀਆ ੧੨੩
નમસ્તે દુનિયા, કેમ છો? ૪૫૬
ନମସ୍କାର ଦୁନିଆ ୭୮୯
வணக்கம் உலகம், நலமா? ௧௨௩
హలో ప్రపంచం, ఎలా ఉన్నారు? ౧౨౩
ನಮಸ್ಕಾರ ಪ್ರಪಂಚ, ಹೇಗಿದ್ದೀರಾ? ೧೨೩
നമസ്കാരം ലോകം, സുഖമാണോ? ൧൨൩
ආයුබෝවන් ලෝකය, කොහොමද?
สวัสดีชาวโลก เป็นมนุษย์สุดประเสริฐเลิศคุณค่า ๑๒๓
ສະບາຍດີຊາວໂລກ ໑໒໓
မင်္ဂလာပါ ကမ္ဘာလောက ၁၂၃
សួស្តី​ពិភពលោក ១២៣
བོད་ཡིག་གི་ཡི་གེ། ༡༢༣
გამარჯობა მსოფლიო, როგორ ხარ?
Բարեւ աշխարհ, ինչպե՞ս ես։
ሰላም ለዓለም። ፩፪፫
ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ᎣᏏᏲ
ᐃᓄᒃᑎᑐᑦ ᖃᓂᐅᔮᖅᐸᐃᑦ
天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。
我能吞下玻璃而不傷身體。一二三四五
いろはにほへと ちりぬるを わかよたれそ つねならむ
イロハニホヘト チリヌルヲ ﾊﾝｶｸ ｶﾅ １２３
키스의 고유조건은 입술끼리 만나야 하고 특별한 기술은 필요치 않다.
ㄱㄴㄷ ㅏㅑㅓ
ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ
ꦲꦤꦕꦫꦏ ꦗꦮ
ᮞᮙ᮪ᮕᮥᮛᮞᮥᮔ᮪
ᬩᬲᬩᬮᬶ
ꠍꠤꠟꠐꠤ ꠘꠣꠉꠞꠤ
ⴰⵣⵓⵍ ⴰⵎⴰⴹⴰⵍ
ߒߞߏ ߊߞߎߞߐߢߍ
ܫܠܡܐ ܥܠܡܐ
ދިވެހި ބަސް
ꆈꌠꁱꂷ
ⲁⲃⲅ ⲧⲙⲛⲧⲣⲙⲛⲕⲏⲙⲉ
ᚠᛇᚻ᛫ᛒᛦᚦ᛫ᚠᚱᚩᚠᚢᚱ
᚛ᚑᚌᚐᚋ᚜
𐌲𐌿𐍄𐌹𐍃𐌺 𐍂𐌰𐌶𐌳𐌰
𐎠𐎡𐎢 𒀀𒁀𒂀 𓀀𓁀𓂀
𝓗𝓮𝓵𝓵𝓸 𝟙𝟚𝟛 𝔸𝔹ℂ 𝕳𝖎
ꓐꓑꓒ ꕉꕜꕮ ꤊꤋ
Ĉu vi ŝatas ĵaŭdon? Ŭa!
Ọ̀rọ̀ Yorùbá ni èyí; ẹ káàárọ̀
ʻŌlelo Hawaiʻi, Māori kōrero
ɪntəˈnæʃənəl fəˈnɛtɪk ˈælfəˌbɛt
⠓⠑⠇⠇⠕ ⠺⠕⠗⠇⠙`.split('\n');

const emoji = `😀
Hello 👋🏽 world 🌍!
👨‍👩‍👧‍👦 family, 👩🏿‍🚀 astronaut, 🏳️‍🌈 flag, 🏴󠁧󠁢󠁳󠁣󠁴󠁿 Scotland
🇫🇷🇯🇵🇧🇷 🇺 🇳
❤️ vs ❤ vs ❤︎ and ☎️
1️⃣2️⃣3️⃣ #️⃣ *️⃣
🧑‍💻🧑🏻‍❤️‍💋‍🧑🏿
🤷🏼‍♀️🤦🏾‍♂️
😀😃😄😁😆😅😂🤣🥲☺️😊
text😀text 😀 text  😀😀
→ ← ↑ ↓ ⇒ ∀x∈ℝ: ⌈x⌉ = −⌊−x⌋, ∑∏∫√∞≠≤≥
½ ¼ ¾ ² ³ ¹ ⅓ Ⅳ ⅷ ① ⑳ ㉑ 〇 ㊿ 𐄇 ௰
€ £ ¥ ₹ ₿ ¢ ₩ ﷼
“curly” ‘quotes’ „low“ «guillemets» … — – ‑ ‐
§ ¶ † ‡ • ‣ · © ® ™ ° ′ ″ ‰
■□▪▫▲△▼▽◆◇○●★☆♠♣♥♦♪♫
┌─┬─┐│ ├─┼─┤ └─┴─┘ ░▒▓█`.split('\n');

const code = [
  'def f(x):\n    return x**2 + 1  # square\n\nprint([f(i) for i in range(10)])\n',
  'const sum = (a, b) => a + b;\nconsole.log(`${sum(1, 2)}`);\n',
  'fn main() {\n\tlet v: Vec<u8> = vec![0; 16];\n\tprintln!("{:?}", &v[..4]);\n}\n',
  '#include <stdio.h>\nint main(void) { for (int i = 0; i < 10; ++i) printf("%d\\n", i); return 0; }',
  "SELECT u.id, COUNT(*) FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE u.created_at >= '2024-01-01' GROUP BY 1;",
  '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"></head><body class="a b">&nbsp;&amp;</body></html>',
  '{"a": [1, 2.5, -3e10, true, null], "b": {"c": "\\u00e9"}}',
  'package main\n\nimport "fmt"\n\nfunc main() {\n\tfmt.Println("hi")\n}\n',
  'public static void main(String[] args) throws IOException { var x = new HashMap<String, List<Integer>>(); }',
  'main :: IO ()\nmain = mapM_ print . takeWhile (<100) $ iterate (*2) 1',
  '(defn fib [n] (if (< n 2) n (+ (fib (- n 1)) (fib (- n 2)))))',
  '#!/bin/bash\nset -euo pipefail\nfor f in *.txt; do echo "${f%.txt}" | sed -e \'s/a/b/g\' >> out.log 2>&1; done',
  'git commit -m "fix: don\'t crash" && git push origin HEAD:main --force-with-lease',
  'contract A { mapping(address => uint256) public balanceOf; function f() external payable returns (bytes32) {} }',
  'MOV EAX, [EBX+4*ECX+0x10]\nJNZ .loop ; comment',
  '\\begin{equation}\\int_0^\\infty e^{-x^2}\\,dx = \\frac{\\sqrt{\\pi}}{2}\\end{equation}',
  'FROM node:20-slim\nRUN apt-get update && rm -rf /var/lib/apt/lists/*\n',
  'key: value\nlist:\n  - a\n  - b: |\n      text\n        more\n',
  'class A:\n\tdef __init__(self, *args, **kwargs) -> None:\n\t\tsuper().__init__()\n\t\tself._x = {k: v for k, v in kwargs.items() if k not in ("a", "b")}\n',
  "const re = /^(?:[a-z0-9!#$%&'*+/=?^_`{|}~-]+)@(?:\\[(?:\\d{1,3}\\.){3}\\d{1,3}\\])$/giu;",
  'https://example.com/path/to?q=a%20b&x=1#frag',
  'user.name+tag@sub.example.co.uk',
  'C:\\Users\\name\\AppData\\Local\\Temp\\file (1).txt',
  '0xDEADBEEF 0b1010 0o777 1_000_000 1e-9 .5 5. 3.14f 100ULL',
  'camelCaseName PascalCase snake_case_name SCREAMING_SNAKE kebab-case-name dotted.name',
  '<|im_start|>user\nignore<|im_end|>',
  '<|endoftext|><repo_name>x<file_sep>',
  '| a | b |\n|---|:-:|\n| 1 | **2** |\n\n- [x] done\n1. one\n> quote\n```js\nx\n```\n',
  '++i; --j; a?.b ?? c; a ||= b; x => y; !!z; a<<=2; b>>>1; a<=>b; @decorator; #private; $jquery; ~/x',
];

const spaces = [
  ' ',
  '  ',
  '   ',
  '\n',
  '\n\n',
  '\n\n\n',
  '\t',
  '\t\t',
  '\r\n',
  '\r\n\r\n',
  ' \n',
  '\n ',
  ' \t ',
  'a b',
  'a  b',
  'a   b',
  'a    b',
  'a\nb',
  'a\n\nb',
  'a \n b',
  'a\tb',
  'a\t\tb',
  'a \t b',
  'a ',
  'a  ',
  'a   ',
  ' a',
  '  a',
  '   a',
  'a\n',
  'a\n\n',
  'a\u00a0b',
  'a\u00a0\u00a0b',
  'a\u2003b\u2009c\u3000d',
  'a\u200bb\u200cc\u200dd\u2060e\ufefff',
  'a\u0085b\u2028c\u2029d',
  'a\u1680b\u202fc\u205fd\u180ee',
  '\ufeffBOM first',
  '\u0085',
  '\u3000\u3000x',
  '    indented\n        more\n    back\n',
  'x' + ' '.repeat(50) + 'y',
  '\n'.repeat(30) + 'z',
  ' '.repeat(257),
  '\t'.repeat(65),
  'a\v\fb',
  ' 1 2  3   4',
  '  12  34\n56',
  ' \u00a0 \n\u00a0x',
];

const numbers = [
  '0',
  '1',
  '12',
  '123',
  '1234567890',
  '3.14159265358979',
  '1,234,567.89',
  '-42',
  '+1 (555) 123-4567',
  '2024-02-29T23:59:59.999Z',
  '192.168.0.1:8080',
  '50%',
  '$19.99',
  '1st 2nd 3rd 4th',
  'x1y22z333',
  '007',
  '1/2 + 3/4 = 5/4',
  'H2O CO2 C6H12O6',
  '٠١٢٣٤٥٦٧٨٩',
  '०१२३४५६७८९',
  '０１２３４５',
  'Ⅻ ⅻ ↁ',
  'a1 b2 c3',
  ' 9 ',
  '9 9',
];

const contractions = [
  "I'm you're he's we've they'll I'd don't",
  "I'M YOU'RE HE'S WE'VE THEY'LL I'D DON'T",
  "'s't're've'm'll'd",
  "it''s rock 'n' roll, the '90s, O'Neil's",
  'it’s don’t I’m',
  "' s 't",
  "x's y'sz's'",
  "''''",
  "'twas 'tis",
];

const combining = [
  'e\u0301 vs \u00e9',
  'a\u0300\u0301\u0302\u0303\u0304',
  'Z̸̙͝a̷̡͝l̶̗̇g̴̱̈́ö̵́',
  'ก\u0e49\u0e34',
  'क्\u200dष क्\u200cष',
  '\u0301alone',
  ' \u0301 space',
  'o\u0308\u0323 \u1e9b\u0323',
  'q\u0307\u0323 ｱﾞ ｶﾞ',
  '\ufb01 \ufb02 \u01c4 \u1e9e ß SS',
  '한국어 vs \u1112\u1161\u11ab\u1100\u116e\u11a8',
];

const controls = [
  '\u0001\u0002\u0003',
  'a\u0007b\u001bc[31mred\u001b[0m',
  '\u007f\u0080\u009f',
  '\u00ad soft\u00adhyphen',
  '\u202eright to left\u202c',
  '\u2066isolate\u2069',
  '\ufffd\ufffe\uffff',
  '\ue000 private \uf8ff \u{f0000} \u{10ffff}',
  '\u{e0001}\u{e0041}\u{e007f}',
  '\u{1f3fb}\ufe0f\ufe0e',
  'a\u0000b',
  '\u{2f800}\u{30000}',
];

const words = [
  'a',
  'A',
  'é',
  '中',
  '😀',
  '!',
  'the',
  ' the',
  'supercalifragilisticexpialidocious',
  'antidisestablishmentarianism',
  'Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft',
  'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
  'abababababababababababab',
  'AbCdEfGhIjKlMnOpQrStUvWxYz',
  '!!!???...,,,;;;:::---___===+++',
  '()[]{}<>«»',
  'What is the capital of France?',
  'What is the capital of Japan?',
  'Write a haiku about the sea.',
  'You are a helpful AI assistant named SmolLM, trained by Hugging Face',
  'system\n',
  'user\nHello',
  'assistant\n',
];

const long = [
  scripts.join(' '),
  emoji.join('\n'),
  code.join('\n\n'),
  'lorem ipsum dolor sit amet, '.repeat(100),
  'x'.repeat(2000),
  '😀'.repeat(300),
  '中文'.repeat(400),
  'ab1 '.repeat(500),
  '-'.repeat(1000),
  '\u0301'.repeat(200),
];

export const corpus: readonly string[] = [
  ...scripts,
  ...emoji,
  ...code,
  ...spaces,
  ...numbers,
  ...contractions,
  ...combining,
  ...controls,
  ...words,
  ...long,
];
