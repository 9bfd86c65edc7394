/**
 * A way to another page of the app. Unlike the router's own it does not watch where one is: hundreds of them need not be
 * drawn anew for each step.
 */
import type { AnchorHTMLAttributes, MouseEvent, Ref } from 'react';
import { navigate } from 'wouter/use-browser-location';
import { newStep } from '../chat/places.js';

interface LinkProps extends AnchorHTMLAttributes<HTMLAnchorElement> {
  href: string;
  ref?: Ref<HTMLAnchorElement>;
}

export function Link({ href, onClick, ...rest }: LinkProps) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    const { button, ctrlKey, metaKey, altKey, shiftKey } = event;
    // Another tab, another window, a download: the browser's own business.
    if (event.defaultPrevented || button !== 0 || ctrlKey || metaKey || altKey || shiftKey) return;
    event.preventDefault();
    navigate(href, { state: newStep() });
  };
  return <a {...rest} href={href} onClick={follow} />;
}
