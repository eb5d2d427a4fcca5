/**
 * Words of a prompt that steer an image's colors and composition, in the languages most prompts come in.
 * Latin, Greek and Cyrillic words match whole words (or stems ending in `*`); scripts without spaces match anywhere.
 */
const WORDS: Readonly<Record<string, string>> = {
  // moods
  dawn: 'dawn morning sunrise pastel amanecer aube morgen* рассвет 黎明 清晨 日出 朝 새벽 فجر שחר สว่าง सुबह',
  sunset:
    'sunset dusk evening twilight atardecer crépuscule sonnenuntergang закат* 黄昏 夕 日落 晚霞 노을 غروب שקיעה',
  night:
    'night* midnight dark moon* star* galaxy noche nuit nacht noite ночь ночн* звезд* νύχτα 夜 月 星 宇宙 밤 ليل לילה กลางคืน रात',
  ocean:
    'blue ocean sea azure cyan teal azul bleu* blau* син* голуб* μπλε 蓝 藍 青 海 파란 바다 أزرق כחול น้ำเงิน नील*',
  forest:
    'green forest jungle nature verde vert* grün* wald зелен* лес* πράσιν* 绿 綠 緑 森 林 초록 숲 أخضر ירוק เขียว हर*',
  gold: 'gold* yellow honey sand* desert dorado doré* gelb* золот* жёлт* желт* χρυσ* 金 黄 沙漠 노란 금 ذهب* זהב ทอง सुनहर*',
  rose: 'pink rose rosy blossom sakura cherry rosa розов* ροζ 粉 桜 樱 櫻 분홍 وردي ורוד ชมพู गुलाबी',
  crimson:
    'red crimson scarlet ruby fire rojo rouge* rot* vermelho красн* κόκκιν* 红 紅 赤 火 빨간 أحمر אדום แดง लाल',
  violet:
    'purple violet* lavender lilac cyberpunk neon morado violett* lila фиолет* μωβ 紫 赛博 보라 بنفسج* סגול ม่วง बैंगनी',
  autumn:
    'orange autumn fall copper naranja otoño automne herbst осен* оранж* φθινόπωρ* 橙 橘 秋 가을 خريف סתיו ส้ม शरद',
  winter:
    'winter snow* ice frost* white invierno hiver neige schnee* weiß* снег* зим* бел* χιόν* 雪 冬 白 冰 겨울 설경 ثلج שלג หิมะ बर्फ',
  ink: 'ink monochrome black grayscale minimal* noir negro schwarz* чёрн* 水墨 黑 墨 单色 흑백 أسود שחור ดำ काल*',
  // compositions
  portrait:
    'portrait* avatar* head\\sand\\sshoulders face* headshot person people woman women man men girl* boy* lady princess hero elf warrior wizard witch character* ' +
    'retrato mujer hombre niña niño chica femme homme fille garçon visage porträt frau mann mädchen mulher homem menina ' +
    'портрет* женщин* мужчин* девушк* девочк* лицо лица человек аватар* γυναίκα άνδρας κορίτσι πορτρέτο ' +
    '人 美女 女孩 男孩 少女 少年 头像 頭像 肖像 脸 臉 顔 女性 男性 彼女 사람 얼굴 여자 남자 소녀 초상 وجه امرأة رجل فتاة אישה גבר ילדה דיוקן ผู้หญิง ผู้ชาย คน महिला लड़की चेहरा',
  lighthouse:
    'lighthouse* faro* phare* leuchtturm* leuchttürme farol* маяк* φάρο* 灯塔 燈塔 灯台 燈台 등대 منارة מגדלור ประภาคาร',
  storm:
    'storm* tempest* thunder* tormenta* orage tempête* sturm* gewitter* tempestade* шторм* бур* гроз* καταιγίδα* 暴风 暴風 风暴 嵐 폭풍 عاصفة סערה พายุ तूफान*',
  animal:
    'animal* creature* pet pets dier tier tiere animaux животн* ζώο 动物 動物 どうぶつ 동물 حيوان חיה חיות สัตว์ जानवर पशु',
  cat: 'cat cats kitten* kitty gato* gata* un\\schat le\\schat chaton* chatte katze* kätzchen кот кота кошк* кошек котён* γάτα* 猫 貓 고양이 قطة قط חתול แมว बिल्ली',
  dog: 'dog dogs puppy puppies perro* chien* hund* cachorro* cão собак* щен* σκύλος* 狗 犬 강아지 كلب כלב หมา สุนัข कुत्त',
  fox: 'fox foxes zorro* renard* fuchs raposa лис* αλεπού 狐 여우 ثعلب שועל จิ้งจอก लोमड़ी',
  bear: 'bear bears teddy oso urso ours bär bären медвед* αρκούδα 熊 곰 دب דוב หมี भालू',
  panda: 'panda* панд* πάντα 熊猫 熊貓 パンダ 판다 باندا פנדה แพนด้า पांडा',
  rabbit:
    'rabbit* bunny bunnies hare conejo* lapin* hase* kaninchen coelho* заяц кролик* λαγός 兔 兎 うさぎ 토끼 أرنب ארנב กระต่าย खरगोश',
  feminine:
    'woman women girl* lady ladies princess queen witch actress mother she mujer* niña chica femme* fille* dame frau* mädchen mulher* menina женщин* девушк* девочк* ' +
    'γυναίκα* κορίτσι* 美女 女 少女 姑娘 小姐 公主 彼女 여자 여성 소녀 امرأة فتاة بنت אישה ילדה נערה ผู้หญิง สาว महिला लड़की औरत',
  masculine:
    'man men boy* gentleman king prince wizard warrior knight father he hombre* niño chico homme* garçon* mann männer junge homem menino мужчин* парень мальчик* ' +
    'άνδρας αγόρι* 男 先生 王子 彼氏 남자 남성 소년 رجل ولد גבר ילד ผู้ชาย หนุ่ม आदमी लड़का पुरुष',
  botanical:
    'flower* floral plant* leaf foliage botanic* garden* bouquet rose roses tree* blossom* flor flores planta* hoja* fleur* plante* feuille* blume* pflanz* blatt blätter folha* цветок цветк* цветы цветов цветущ* растен* листья листва λουλούδι* 花 叶 葉 植物 草 桜 樱 꽃 잎 زهور زهرة ورد פרח פרחים ดอกไม้ फूल',
  mountains:
    'mountain* landscape* valley* lake* hill* alp* forest fog* mist* montaña* lago paisaje montagne* paysage berg* landschaft montanha* paisagem гор* озер* пейзаж* βουνό 山 湖 森 林 风景 風景 산 호수 جبل הרים ภูเขา पहाड़',
  waves:
    'wave* sea ocean beach water surf* boat* ship* mar ola* mer vague* meer welle* onda* мор* волн* θάλασσα 海 浪 波 船 바다 파도 بحر ทะเล समुद्र',
  sky: 'star* galaxy cosm* constellation* moon* universe estrella* étoile* stern* sternen* estrela* звезд* космос* αστέρι* 星 宇宙 银河 月 별 우주 نجوم כוכבים ดาว तार*',
  geometric:
    'geometr* abstract* logo* icon* bauhaus pattern* poster* minimal* abstracto abstrait* abstrakt* абстракт* логотип* αφηρημέν* 几何 幾何 抽象 图案 图标 标志 海报 ロゴ 추상 로고 شعار מופשט นามธรรม अमूर्त',
  city: 'city cities skyline street* building* town urban architecture tower* cyberpunk ciudad* calle ville* rue stadt* straße cidade* город* улиц* πόλη 城 街 都市 楼 建筑 ビル 町 도시 مدينة עיר เมือง शहर',
  dunes:
    'desert* dune* sand* sahara pyramid* camel* desierto désert wüste* deserto пустын* έρημος 沙漠 砂 사막 صحراء מדבר ทะเลทราย रेगिस्तान',
};

/** Characters of a prompt that are read. The first words decide. */
const MAX_READ = 2_000;

const patterns = new Map(Object.entries(WORDS).map(([name, words]) => [name, toPattern(words)]));

function toPattern(words: string): RegExp {
  const alternatives = words.split(' ').map((word) => {
    const stem = word.replace(/\*$/, '');
    if (/^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}]/u.test(stem))
      return `(?<!\\p{L})${stem}${word.endsWith('*') ? '' : '(?!\\p{L})'}`;
    if (/^[\p{Script=Han}\p{Script=Thai}]/u.test(stem)) return stem;
    // Articles and prepositions are glued to the front of Arabic and Hebrew words, particles to the end of others.
    return `(?<![\\p{L}\\p{M}])(?:ال|[وبلكהובל])*${stem}`;
  });
  return new RegExp(alternatives.join('|'), 'iu');
}

/** Returns true if the prompt contains one of the words of this name. A name without words matches nothing. */
export function wordsMatch(name: string, prompt: string): boolean {
  return patterns.get(name)?.test(prompt.slice(0, MAX_READ)) ?? false;
}

/** Returns the name whose word comes first in the prompt, because the first subject is the most important one. */
export function firstNamed(names: readonly string[], prompt: string): string | null {
  const found = names
    .map((name) => ({ name, at: prompt.slice(0, MAX_READ).search(patterns.get(name) ?? NEVER) }))
    .filter(({ at }) => at >= 0)
    .sort((left, right) => left.at - right.at);
  return found[0]?.name ?? null;
}

const NEVER = /(?!)/;
