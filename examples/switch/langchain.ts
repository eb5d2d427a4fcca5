import { DallEAPIWrapper } from '@langchain/openai';

const tool = new DallEAPIWrapper({
  baseUrl: 'http://localhost:8080/v1',
});

console.log(await tool.invoke('A fox in the snow'));
