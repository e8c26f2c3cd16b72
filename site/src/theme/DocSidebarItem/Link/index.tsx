import clsx from 'clsx'
import Link from '@docusaurus/Link'
import { isActiveSidebarItem } from '@docusaurus/plugin-content-docs/client'
import type { Props } from '@theme/DocSidebarItem/Link'
import { ChapterMark } from '../../../components/ChapterMark.tsx'

/** A chapter in the sidebar: number, title, and a mark when all of its steps are green. */
export default function DocSidebarItemLink({
  item,
  onItemClick,
  activePath,
  level: _level,
  index: _index,
  ...props
}: Props) {
  const { href, label, className } = item
  const slug = typeof item.customProps?.slug === 'string' ? item.customProps.slug : ''
  const active = isActiveSidebarItem(item, activePath)
  return (
    <li className={clsx('menu__list-item', className)}>
      <Link
        className={clsx('menu__link chapter-link', active && 'menu__link--active')}
        aria-current={active ? 'page' : undefined}
        to={href}
        onClick={onItemClick ? () => onItemClick(item) : undefined}
        {...props}
      >
        <span className="coming__number">{slug.slice(0, 2)}</span>
        <span>{label}</span>
        <ChapterMark slug={slug} />
      </Link>
    </li>
  )
}
