/** Rules of ARCHITECTURE.md and CONTRIBUTING.md, checked over the whole project. Each module holds one kind of rule. */
import './architecture/api-document.ts';
import './architecture/generated-files.ts';
import './architecture/imports.ts';
import './architecture/links.ts';
import './architecture/registries.ts';
import './architecture/sizes.ts';
import './architecture/translations.ts';
import './architecture/words.ts';
