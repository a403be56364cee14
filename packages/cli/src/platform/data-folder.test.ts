import { describe, expect, test } from 'vitest';
import { defaultDataFolder } from './data-folder.ts';

describe('defaultDataFolder', () => {
  test('follows each system', () => {
    expect(defaultDataFolder({ XDG_DATA_HOME: '/x' }, 'linux')).toBe('/x/commonweight');
    expect(defaultDataFolder({}, 'linux')).toMatch(/\.local\/share\/commonweight$/u);
    expect(defaultDataFolder({}, 'darwin')).toMatch(/Library\/Application Support\/commonweight$/u);
    expect(defaultDataFolder({ LOCALAPPDATA: '/l' }, 'win32')).toMatch(/commonweight$/u);
  });

  test('an empty XDG_DATA_HOME counts as unset', () => {
    expect(defaultDataFolder({ XDG_DATA_HOME: '' }, 'linux')).toMatch(/\.local\/share\/commonweight$/u);
  });
});
