import type { Phrasebook } from './phrasebook.ts';

export const english: Phrasebook = {
  noun: /^(?:(?:please|can you|could you|i want(?: you to)?|i'd like(?: you to)?) )*(?:(?:generate|create|make|draw|paint|produce|render|design|give me|show me) )?(?:me )?(?:an?|the|one|some)? ?(?:[a-z]+ ){0,2}?(?:picture|image|photo|photograph|illustration|painting|drawing)s? (?:of|showing|with) /i,
  verb: /^(?:(?:please|can you|could you|i want(?: you to)?|i'd like(?: you to)?) )*(?:generate|create|make|draw|paint|produce|render|design|give me|show me) (?:me )?/i,
  tail: /,? please$/i,
  frames: {
    bare: '{s}, shown as the clear centre of the picture, with crisp shapes and rich, believable detail',
    afterNoun: 'A detailed picture of {s}, with crisp shapes and rich, believable detail',
    afterVerb: 'The picture shows {s} as its clear centre, with crisp shapes and rich, believable detail',
  },
  person:
    /\b(?:woman|women|man|men|girl|boy|lady|person|people|portrait|face|avatar|she|he|king|queen|child|hero)\b/i,
  drawn: /\b(?:illustrat|paint|draw|watercolou?r|anime|cartoon|comic|sketch|logo|icon|vector|poster|pixel)/i,
  people: [
    'The expression is calm and natural, the eyes hold a small bright highlight, single strands of hair and the weave of the clothes can be made out.',
    'The pose is relaxed, with the hint of a smile; skin keeps its real texture and the colours of the clothes answer those around them.',
  ],
  settings: [
    'The surroundings are quiet and layered: fine detail up close, softer shapes further away, nothing that competes with the subject.',
    'Small, believable objects hint at the season and at a story, and foreground, middle ground and distance follow one another with ease.',
    'The space is simple and uncluttered, with generous empty areas and a few honest materials.',
    'A little haze gives the air depth, and the colours pass gently from warm to cool.',
  ],
  light: [
    'Soft morning light falls from the left, with warm highlights, clear shadows and a thin bright rim along the edges.',
    'Golden evening light from behind draws the outlines and makes fine dust glow in the air.',
    'Broad diffused light keeps the shadows soft and the colours clean.',
    'A single slanting beam from a window models every volume without harshness.',
  ],
  composition: [
    'The composition follows the rule of thirds and leaves room in the direction of the gaze.',
    'The view is at eye level, with a shallow depth of field that keeps attention on the subject.',
    'The arrangement is centred and steady, with leading lines running in from the edges.',
  ],
  photo: [
    'Realistic photography, 85 mm lens, wide aperture, natural colour, sharp focus, high resolution.',
    'The look of a carefully lit magazine photograph, with fine grain, true colours and exact focus.',
  ],
  art: [
    'The style is consistent, with confident lines, a harmonious palette and visible, well-finished texture.',
    'Fine brushwork and a considered palette give it the finish of a complete work.',
  ],
  lettering: 'The words {q} appear clearly in the picture, spelled exactly so, and no other words do.',
  joint: ' ',
  stop: '.',
};

export const spanish: Phrasebook = {
  noun: /^(?:por favor,? )?(?:(?:genera|generar?me|crea|créame|haz|hazme|dibuja|pinta|diseña|muéstrame|quiero) )?(?:una?|la|el)? ?(?:foto(?:grafía)?|imagen|ilustración|pintura|dibujo|cuadro) (?:de|con) /i,
  verb: /^(?:por favor,? )?(?:genera|créame|crea|hazme|haz|dibuja|pinta|diseña|muéstrame|quiero) /i,
  tail: /,? por favor$/i,
  frames: {
    bare: 'El centro de la imagen: {s}, con formas nítidas y un detalle rico y creíble',
    afterNoun: 'Una imagen detallada de {s}, con formas nítidas y un detalle rico y creíble',
    afterVerb: 'La imagen muestra {s} en el centro, con formas nítidas y un detalle rico y creíble',
  },
  person: /(?<!\p{L})(?:mujer|hombre|niñ[ao]|chic[ao]|persona|retrato|rostro|cara|avatar|rey|reina)/iu,
  drawn: /ilustraci|pintura|dibuj|acuarela|anime|caricatura|boceto|logo|icono|cartel/i,
  people: [
    'La expresión es serena y natural, la mirada guarda un pequeño brillo y se distinguen los cabellos y la trama de la ropa.',
    'La postura es relajada, con un asomo de sonrisa; la piel conserva su textura y los colores de la ropa dialogan con el entorno.',
  ],
  settings: [
    'El entorno es tranquilo y profundo: detalle fino de cerca, formas más suaves a lo lejos, nada que compita con el motivo.',
    'Pequeños objetos creíbles sugieren la estación y una historia, y los planos se suceden con naturalidad.',
    'El espacio es sencillo y despejado, con zonas amplias de calma y materiales honestos.',
  ],
  light: [
    'Una luz suave de la mañana entra por la izquierda, con brillos cálidos y un fino borde luminoso.',
    'La luz dorada del atardecer dibuja los contornos desde atrás y hace brillar el polvo en el aire.',
    'Una luz amplia y difusa mantiene suaves las sombras y limpios los colores.',
  ],
  composition: [
    'La composición sigue la regla de los tercios y deja espacio hacia donde va la mirada.',
    'El punto de vista está a la altura de los ojos, con poca profundidad de campo.',
    'La disposición es centrada y estable, con líneas que conducen desde los bordes.',
  ],
  photo: [
    'Fotografía realista, objetivo de 85 mm, gran apertura, color natural, enfoque preciso y alta resolución.',
    'Aspecto de fotografía de revista bien iluminada, con grano fino y colores fieles.',
  ],
  art: [
    'El estilo es coherente, con líneas seguras, una paleta armoniosa y texturas bien acabadas.',
    'La pincelada fina y la paleta meditada le dan el acabado de una obra completa.',
  ],
  lettering: 'En la imagen se leen con claridad las palabras {q}, escritas exactamente así, y ninguna otra.',
  joint: ' ',
  stop: '.',
};

export const french: Phrasebook = {
  noun: /^(?:s'il (?:te|vous) plaît,? )?(?:(?:génère|générez|génère-moi|crée|créez|crée-moi|fais|fais-moi|faites|dessine|dessine-moi|peins|montre-moi|je veux) )?(?:une?|la|le)? ?(?:photo(?:graphie)?|image|illustration|peinture|dessin|tableau) (?:de |d['’]|avec )/i,
  verb: /^(?:s'il (?:te|vous) plaît,? )?(?:génère-moi|génère|générez|crée-moi|crée|créez|fais-moi|fais|faites|dessine-moi|dessine|peins|montre-moi|je veux) /i,
  tail: /,? s'il (?:te|vous) plaît$/i,
  frames: {
    bare: "Au centre de l'image : {s}, avec des formes nettes et des détails riches et crédibles",
    afterNoun:
      'Une image détaillée ayant pour sujet {s}, avec des formes nettes et des détails riches et crédibles',
    afterVerb: "L'image montre {s} en son centre, avec des formes nettes et des détails riches et crédibles",
  },
  person: /(?<!\p{L})(?:femme|homme|fille|garçon|personne|portrait|visage|avatar|roi|reine|enfant)/iu,
  drawn: /illustration|peinture|dessin|aquarelle|anime|croquis|logo|icône|affiche|tableau/i,
  people: [
    "L'expression est calme et naturelle, le regard garde un petit éclat, on distingue les cheveux et la trame des vêtements.",
    'La pose est détendue, avec une ébauche de sourire ; la peau garde son grain et les vêtements répondent aux couleurs alentour.',
  ],
  settings: [
    'Le décor est paisible et profond : détails fins au premier plan, formes plus douces au loin, rien qui dispute la place au sujet.',
    'De petits objets crédibles suggèrent la saison et une histoire, et les plans se suivent avec naturel.',
    "L'espace est simple et dégagé, avec de larges zones calmes et des matières franches.",
  ],
  light: [
    'Une lumière douce du matin vient de la gauche, avec des reflets chauds et un fin liseré clair.',
    "La lumière dorée du soir dessine les contours à contre-jour et fait briller la poussière dans l'air.",
    'Une lumière large et diffuse garde les ombres douces et les couleurs pures.',
  ],
  composition: [
    "La composition suit la règle des tiers et laisse de l'espace dans le sens du regard.",
    'Le point de vue est à hauteur des yeux, avec une faible profondeur de champ.',
    'La disposition est centrée et stable, avec des lignes qui mènent depuis les bords.',
  ],
  photo: [
    'Photographie réaliste, objectif de 85 mm, grande ouverture, couleurs naturelles, mise au point précise, haute résolution.',
    "L'aspect d'une photographie de magazine bien éclairée, au grain fin et aux couleurs justes.",
  ],
  art: [
    'Le style est cohérent, avec des lignes sûres, une palette harmonieuse et des textures soignées.',
    "La touche fine et la palette réfléchie lui donnent le fini d'une œuvre achevée.",
  ],
  lettering: "Les mots {q} se lisent clairement dans l'image, écrits exactement ainsi, et aucun autre.",
  joint: ' ',
  stop: '.',
};

export const german: Phrasebook = {
  noun: /^(?:bitte )?(?:(?:erstelle|erzeuge|generiere|mach|mache|male|zeichne|zeig mir|gib mir|ich möchte) )?(?:mir )?(?:bitte )?(?:ein(?:e|en)?|das)? ?(?:bild|foto|fotografie|illustration|gemälde|zeichnung) (?:von|mit|über) /i,
  verb: /^(?:bitte )?(?:erstelle|erzeuge|generiere|mache|mach|male|zeichne|zeig mir|gib mir|ich möchte) (?:mir )?(?:bitte )?/i,
  tail: /,? bitte$/i,
  frames: {
    bare: 'Im Mittelpunkt des Bildes: {s}, mit klaren Formen und reichen, glaubhaften Einzelheiten',
    afterNoun: 'Ein detailreiches Bild von {s}, mit klaren Formen und glaubhaften Einzelheiten',
    afterVerb: 'Das Bild zeigt {s} im Mittelpunkt, mit klaren Formen und reichen, glaubhaften Einzelheiten',
  },
  person: /(?<!\p{L})(?:frau|mann|mädchen|junge|person|mensch|porträt|portrait|gesicht|avatar|könig|kind)/iu,
  drawn: /illustration|gemälde|zeichnung|zeichne|male|aquarell|anime|comic|skizze|logo|icon|plakat/i,
  people: [
    'Der Ausdruck ist ruhig und natürlich, in den Augen liegt ein kleiner Glanz, einzelne Haare und das Gewebe der Kleidung sind zu erkennen.',
    'Die Haltung ist entspannt, mit der Andeutung eines Lächelns; die Haut behält ihre Struktur, die Kleidung nimmt die Farben der Umgebung auf.',
  ],
  settings: [
    'Die Umgebung ist still und gestaffelt: vorn feine Einzelheiten, weiter hinten weichere Formen, nichts, was vom Motiv ablenkt.',
    'Kleine, glaubhafte Dinge deuten Jahreszeit und Geschichte an, Vorder-, Mittel- und Hintergrund gehen ruhig ineinander über.',
    'Der Raum ist schlicht und aufgeräumt, mit großzügigen freien Flächen und ehrlichen Materialien.',
  ],
  light: [
    'Weiches Morgenlicht fällt von links ein, mit warmen Glanzstellen und einem feinen hellen Saum an den Kanten.',
    'Goldenes Abendlicht zeichnet die Umrisse von hinten und lässt feinen Staub in der Luft leuchten.',
    'Breites, gestreutes Licht hält die Schatten weich und die Farben rein.',
  ],
  composition: [
    'Der Bildaufbau folgt der Drittelregel und lässt Raum in Blickrichtung.',
    'Der Blick liegt auf Augenhöhe, die geringe Schärfentiefe hält die Aufmerksamkeit beim Motiv.',
    'Die Anordnung ist mittig und ruhig, Linien führen von den Rändern hinein.',
  ],
  photo: [
    'Realistische Fotografie, 85-mm-Objektiv, offene Blende, natürliche Farben, genaue Schärfe, hohe Auflösung.',
    'Die Anmutung eines sorgfältig ausgeleuchteten Magazinfotos, mit feinem Korn und treuen Farben.',
  ],
  art: [
    'Der Stil ist einheitlich, mit sicheren Linien, stimmigen Farben und sauber ausgearbeiteter Textur.',
    'Feine Pinselführung und eine überlegte Farbwahl geben ihm die Vollendung eines fertigen Werks.',
  ],
  lettering: 'Die Worte {q} sind im Bild deutlich zu lesen, genau so geschrieben, und keine anderen.',
  joint: ' ',
  stop: '.',
};

export const portuguese: Phrasebook = {
  noun: /^(?:por favor,? )?(?:(?:gere|gera|crie|cria|faça|faz|desenhe|pinte|mostre-me|quero) )?(?:uma?|a|o)? ?(?:foto(?:grafia)?|imagem|ilustração|pintura|desenho|quadro) (?:de|com|d[oa]) /i,
  verb: /^(?:por favor,? )?(?:gere|gera|crie|cria|faça|faz|desenhe|pinte|mostre-me|quero) /i,
  tail: /,? por favor$/i,
  frames: {
    bare: 'No centro da imagem: {s}, com formas nítidas e detalhes ricos e credíveis',
    afterNoun: 'Uma imagem detalhada de {s}, com formas nítidas e detalhes ricos e credíveis',
    afterVerb: 'A imagem mostra {s} no centro, com formas nítidas e detalhes ricos e credíveis',
  },
  person: /(?<!\p{L})(?:mulher|homem|menin[ao]|pessoa|retrato|rosto|avatar|rei|rainha|criança)/iu,
  drawn: /ilustraç|pintura|desenh|aquarela|anime|esboço|logo|ícone|cartaz/i,
  people: [
    'A expressão é calma e natural, o olhar guarda um pequeno brilho, e veem-se os fios de cabelo e a trama da roupa.',
    'A pose é descontraída, com um leve sorriso; a pele mantém a sua textura e as cores da roupa conversam com o ambiente.',
  ],
  settings: [
    'O ambiente é sereno e profundo: detalhe fino de perto, formas mais suaves ao longe, nada que dispute com o motivo.',
    'Pequenos objetos credíveis sugerem a estação e uma história, e os planos seguem-se com naturalidade.',
    'O espaço é simples e desimpedido, com áreas amplas de calma e materiais honestos.',
  ],
  light: [
    'Uma luz suave da manhã entra pela esquerda, com brilhos quentes e um fino contorno luminoso.',
    'A luz dourada do fim da tarde desenha os contornos por trás e faz brilhar a poeira no ar.',
    'Uma luz ampla e difusa mantém as sombras suaves e as cores limpas.',
  ],
  composition: [
    'A composição segue a regra dos terços e deixa espaço na direção do olhar.',
    'O ponto de vista está à altura dos olhos, com pouca profundidade de campo.',
    'A disposição é centrada e estável, com linhas que conduzem a partir das bordas.',
  ],
  photo: [
    'Fotografia realista, objetiva de 85 mm, grande abertura, cor natural, foco preciso, alta resolução.',
    'Aspeto de fotografia de revista bem iluminada, com grão fino e cores fiéis.',
  ],
  art: [
    'O estilo é coerente, com linhas seguras, uma paleta harmoniosa e texturas bem acabadas.',
    'A pincelada fina e a paleta ponderada dão-lhe o acabamento de uma obra completa.',
  ],
  lettering: 'Na imagem leem-se claramente as palavras {q}, escritas exatamente assim, e nenhumas outras.',
  joint: ' ',
  stop: '.',
};
